/* Connections to a SOCKS port until they have said where they want to go. */
#ifndef CLIENT_SOCKSPEER_H
#define CLIENT_SOCKSPEER_H

struct forwards;

/* Take the connection at fd; what becomes of it is not the caller's. */
void sockspeer_new(struct forwards *fs, int fd);

/* Hang up on those that have not said it yet. */
void sockspeer_free_all(struct forwards *fs);

#endif
