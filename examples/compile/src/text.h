#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Words longer than this are cut. */
#define MAX_WORD 63

/* Reads the next word, in lower case. Returns its length, 0 at the end. */
size_t next_word(FILE *in, char word[MAX_WORD + 1]);

#endif
