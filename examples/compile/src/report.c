#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  const Entry *x = a, *y = b;
  if (x->count != y->count) return x->count < y->count ? 1 : -1;
  return strcmp(x->word, y->word);
}

void report(const Table *table, size_t top) {
  Entry *sorted = calloc(table->used + 1, sizeof *sorted);
  size_t used = 0;
  if (!sorted) abort();
  for (size_t i = 0; i < table->size; i++) {
    if (table->entries[i].word) sorted[used++] = table->entries[i];
  }
  qsort(sorted, used, sizeof *sorted, compare);
  for (size_t i = 0; i < used && i < top; i++) printf("%u %s\n", sorted[i].count, sorted[i].word);
  free(sorted);
}
