#include <stdio.h>

#include "report.h"
#include "text.h"

/* How many words to show. */
#define TOP 5

int main(int argc, char **argv) {
  FILE *in = argc > 1 ? fopen(argv[1], "r") : stdin;
  if (!in) {
    perror(argv[1]);
    return 1;
  }
  Table words = {0};
  char word[MAX_WORD + 1];
  while (next_word(in, word)) table_add(&words, word);
  report(&words, TOP);
  table_free(&words);
  return 0;
}
