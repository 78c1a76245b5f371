/*
 * What is forwarded, for ~# and -O stats.
 */
#include "config.h"

#include <jansson.h>

#include "client/forward_impl.h"
#include "common/own.h"

const char *const forward_kind_names[3] = {
	[FORWARD_LOCAL] = "local",
	[FORWARD_REMOTE] = "remote",
	[FORWARD_DYNAMIC] = "dynamic",
};

void
forwards_list(const struct forwards *fs, const char *line_end, FILE *out)
{
	const struct trunk_stats *s = &fs->trunk->stats;
	size_t i = 0;

	for (const struct forward *fw = fs->list; fw != NULL; fw = fw->next) {
		char text[FORWARD_TEXT_MAX];

		forward_text(&fw->spec, text);
		fprintf(out, "  %-8s %s, %llu connections so far%s",
		    forward_kind_names[fw->spec.kind], text,
		    (unsigned long long)fw->connections, line_end);
	}
	fprintf(out, "The following connections are open:%s", line_end);
	for (const struct flow *f = fs->trunk->flows; f != NULL; f = f->next)
		fprintf(out, "  #%zu %s (%s), %llu bytes in, %llu bytes out%s",
		    i++, f->kind, f->name, (unsigned long long)f->bytes_in,
		    (unsigned long long)f->bytes_out, line_end);
	fprintf(out,
	    "In all %llu channels, %llu refused, %llu bytes in, %llu bytes "
	    "out%s",
	    (unsigned long long)s->opened, (unsigned long long)s->refused,
	    (unsigned long long)s->bytes_in, (unsigned long long)s->bytes_out,
	    line_end);
}

static json_t *
forward_json(const struct forward *fw)
{
	return json_pack("{s:s, s:s*, s:i, s:s*, s:s*, s:i, s:s*, s:I}", "kind",
	    forward_kind_names[fw->spec.kind], "bind", fw->spec.bind, "port",
	    fw->spec.kind == FORWARD_REMOTE ? fw->remote_port : fw->spec.port,
	    "path", fw->spec.listen_path, "host", fw->spec.host, "host_port",
	    fw->spec.host_port, "host_path", fw->spec.host_path, "connections",
	    (json_int_t)fw->connections);
}

void
forwards_json(const struct forwards *fs, FILE *out)
{
	const struct trunk_stats *s = &fs->trunk->stats;
	json_t *forwards = json_array(), *open = json_array();
	json_t *all;

	for (const struct forward *fw = fs->list; fw != NULL; fw = fw->next)
		json_array_append_new(forwards, forward_json(fw));
	for (const struct flow *f = fs->trunk->flows; f != NULL; f = f->next)
		json_array_append_new(open,
		    json_pack("{s:s, s:s, s:I, s:I}", "kind", f->kind, "name",
			f->name, "bytes_in", (json_int_t)f->bytes_in,
			"bytes_out", (json_int_t)f->bytes_out));
	all = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I}", "forwardings",
	    forwards, "connections", open, "opened", (json_int_t)s->opened,
	    "refused", (json_int_t)s->refused, "bytes_in",
	    (json_int_t)s->bytes_in, "bytes_out", (json_int_t)s->bytes_out);
	if (all != NULL)
		json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}
