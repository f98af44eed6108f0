#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static uint32_t hash(const char *word) {
  uint32_t h = 2166136261u;
  for (; *word; word++) h = (h ^ (unsigned char)*word) * 16777619u;
  return h;
}

static Entry *find(Entry *entries, size_t size, const char *word) {
  size_t i = hash(word) % size;
  while (entries[i].word && strcmp(entries[i].word, word) != 0) i = (i + 1) % size;
  return &entries[i];
}

static void grow(Table *table) {
  size_t size = table->size ? table->size * 2 : 64;
  Entry *entries = calloc(size, sizeof *entries);
  if (!entries) abort();
  for (size_t i = 0; i < table->size; i++) {
    if (table->entries[i].word) *find(entries, size, table->entries[i].word) = table->entries[i];
  }
  free(table->entries);
  table->entries = entries;
  table->size = size;
}

void table_add(Table *table, const char *word) {
  if (table->used * 2 >= table->size) grow(table);
  Entry *entry = find(table->entries, table->size, word);
  if (!entry->word) {
    entry->word = strdup(word);
    table->used++;
  }
  entry->count++;
}

void table_free(Table *table) {
  for (size_t i = 0; i < table->size; i++) free(table->entries[i].word);
  free(table->entries);
}
