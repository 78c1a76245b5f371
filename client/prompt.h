/* Questions to the user: on their terminal, or by the program SSH_ASKPASS. */
#ifndef CLIENT_PROMPT_H
#define CLIENT_PROMPT_H

#include <stdbool.h>

#define PROMPT_ANSWER_MAX 1024 /* bytes of an answer, with its NUL */

/*
 * Ask. The question may hold a stranger's text: control characters are shown
 * encoded, but newlines. 0: release the answer with prompt_done(), which wipes
 * it. -ENOTTY: nobody can be asked; -ECANCELED: they did not want to answer;
 * -ENOMEM.
 */
int prompt_ask(const char *question, bool echo, char **out_answer);
void prompt_done(char **answer);

/* Whether the user says yes. */
bool prompt_confirm(const char *question);

#endif
