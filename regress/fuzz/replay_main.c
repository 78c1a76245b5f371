/*
 * Runs a fuzzing harness over its seeds, as a test without libFuzzer: the
 * directory is FUZZ_CORPUS and the program's name without "fuzz_".
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path)
{
	AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTOFREE uint8_t *data = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return -1;
	data = malloc((size_t)st.st_size + 1);
	if (data == NULL ||
	    read(fd, data, (size_t)st.st_size) != (ssize_t)st.st_size)
		return -1;
	return LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '_');
	const char *corpus = getenv("FUZZ_CORPUS");
	char path[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	(void)argc;
	if (name == NULL || corpus == NULL) {
		printf("Bail out! set FUZZ_CORPUS\n");
		return 99;
	}
	snprintf(path, sizeof(path), "%s/%s", corpus, name + 1);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char file[PATH_MAX];

		if (entry->d_name[0] == '.' ||
		    snprintf(file, sizeof(file), "%s/%s", path,
			entry->d_name) >= (int)sizeof(file))
			continue;
		printf("%sok %u - %s\n", replay(file) == 0 ? "" : "not ", ++n,
		    entry->d_name);
		fflush(stdout);
	}
	if (dir != NULL)
		closedir(dir);
	/* No seeds would prove nothing. */
	printf("1..%u\n", n != 0 ? n : 1);
	return n != 0 ? 0 : 1;
}
