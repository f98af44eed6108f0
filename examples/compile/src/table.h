#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

typedef struct {
  char *word;
  unsigned count;
} Entry;

/* A hash table that counts words. */
typedef struct {
  Entry *entries;
  size_t size;
  size_t used;
} Table;

void table_add(Table *table, const char *word);
void table_free(Table *table);

#endif
