/* A fingerprint as a picture, which people compare better than text. */
#ifndef CLIENT_RANDOMART_H
#define CLIENT_RANDOMART_H

#include "common/wire.h"

/*
 * The picture that OpenSSH draws of a hash (the walk of a drunken bishop), in
 * lines, with a title and a footer of at most 16 characters in its frame.
 * Owned; NULL without memory.
 */
char *randomart(struct span hash, const char *title, const char *footer);

#endif
