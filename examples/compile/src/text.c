#include "text.h"

#include <ctype.h>

size_t next_word(FILE *in, char word[MAX_WORD + 1]) {
  size_t length = 0;
  int c;
  while ((c = fgetc(in)) != EOF) {
    if (isalpha(c)) {
      if (length < MAX_WORD) word[length++] = (char)tolower(c);
    } else if (length > 0) {
      break;
    }
  }
  word[length] = '\0';
  return length;
}
