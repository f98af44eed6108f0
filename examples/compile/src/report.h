#ifndef REPORT_H
#define REPORT_H

#include "table.h"

/* Prints the most frequent words. */
void report(const Table *table, size_t top);

#endif
