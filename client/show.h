/*
 * Text of others on our terminal: names and messages of a server may hold
 * escape sequences, and are shown with those in octal.
 */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Text with what a terminal would obey in octal (\033), newlines too; to be
 * freed; NULL when out of memory. Valid printable characters of the locale
 * stay. */
char *show_text(const char *text);
/* Columns that show_text()'s result takes on a terminal. */
size_t show_width(const char *shown);
/* The remote's stderr to a stream: shown, but that its newlines stay. */
void show_lines(FILE *to, const char *text);
/* printf(3) to a stream, what came of it being shown; of newlines only the one
 * that ends the format stays. */
void show_print(FILE *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Whose messages they are: "scp" puts "scp: " in front; NULL, at first, not. */
void show_name(const char *program);
/* A message of ours on standard error, shown, with its newline. */
void show_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* After bad usage, on standard error: the usage, and where there is more. */
void show_usage(const char *usage, const char *command);

#define SHOW_SIZE_MAX 16
/* Bytes with a unit, and a suffix behind it: "517B", "1.2K", "34.0K"; with the
 * suffix "B" "1.2KB". */
const char *show_size(
    uint64_t bytes, const char *suffix, char out[SHOW_SIZE_MAX]);

#endif
