/* Texts, memory and the canonical ABI's allocator: what a bindings generator would bring. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern
#define EXPORT(name) __attribute__((export_name(name)))

typedef struct {
  const char *start;
  size_t size;
} text;

#define TEXT(literal) ((text){literal, sizeof(literal) - 1})

/* All memory of one call: of its parameters, of what it makes, and of its result. */
static _Alignas(16) char arena[1 << 20];
static size_t used;

EXPORT("cabi_realloc")
void *canonical_realloc(void *old, size_t old_size, size_t alignment, size_t size) {
  size_t start = (used + alignment - 1) & ~(alignment - 1);
  if (start + size > sizeof arena) __builtin_trap();
  used = start + size;
  char *block = arena + start;
  for (size_t i = 0; i < old_size && i < size; i++) block[i] = ((char *)old)[i];
  return block;
}

static text joined(text first, text second) {
  char *start = canonical_realloc(NULL, 0, 1, first.size + second.size);
  for (size_t i = 0; i < first.size; i++) start[i] = first.start[i];
  for (size_t i = 0; i < second.size; i++) start[first.size + i] = second.start[i];
  return (text){start, first.size + second.size};
}

static int equal(text a, text b) {
  if (a.size != b.size) return 0;
  for (size_t i = 0; i < a.size; i++)
    if (a.start[i] != b.start[i]) return 0;
  return 1;
}
