/* The canonical ABI by hand, for the few functions of wit/: what a bindings generator would write. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern
#define EXPORT(name) __attribute__((export_name(name)))
#define CONSUMER "wasmcloud:messaging/consumer@0.3.0"
#define HANDLER "wasmcloud:messaging/handler@0.3.0"

typedef struct {
  const char *start;
  size_t size;
} text;

#define TEXT(literal) ((text){literal, sizeof(literal) - 1})

/* A lowered variant: its tag comes first, its payload at the payload's alignment. */
typedef struct {
  uint8_t tag;
  union {
    int32_t handle;
    text value;
  };
} variant;

typedef struct {
  text subject;
  int32_t body;
  uint8_t has_reply;
  text reply;
} message;

typedef struct {
  uint8_t is_error;
  variant error;
} outcome;

IMPORT("wasmcloud:secrets/reveal@2.1.0", "reveal") void reveal(int32_t secret, variant *value);
IMPORT("wasmcloud:secrets/store@2.1.0", "[resource-drop]secret") void secret_drop(int32_t secret);

/* Asynchronous calls and streams: a blocked one is waited for in a set of its own. */
IMPORT("$root", "[waitable-set-new]") int32_t set_new(void);
IMPORT("$root", "[waitable-set-wait]") int32_t set_wait(int32_t set, uint32_t event[2]);
IMPORT("$root", "[waitable-set-drop]") void set_drop(int32_t set);
IMPORT("$root", "[waitable-join]") void join(int32_t waitable, int32_t set);
IMPORT("$root", "[subtask-drop]") void subtask_drop(int32_t subtask);
IMPORT(CONSUMER, "[async-lower]publish") uint32_t publish(message *sent, outcome *result);
IMPORT(CONSUMER, "[stream-new-0]publish") uint64_t sent_new(void);
IMPORT(CONSUMER, "[async-lower][stream-write-0]publish")
uint32_t sent_write(int32_t stream, const char *bytes, size_t size);
IMPORT(CONSUMER, "[stream-drop-writable-0]publish") void sent_drop(int32_t stream);
IMPORT("[export]" HANDLER, "[async-lower][stream-read-0]handle-message")
uint32_t received_read(int32_t stream, char *bytes, size_t size);
IMPORT("[export]" HANDLER, "[stream-drop-readable-0]handle-message")
void received_drop(int32_t stream);

enum { BLOCKED = -1, RETURNED = 2, LARGEST = 1 << 16 };

/* All memory of one message; a message begins with an empty arena. */
static _Alignas(16) char arena[1 << 22];
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

static inline int equal(text a, text b) {
  if (a.size != b.size) return 0;
  for (size_t i = 0; i < a.size; i++)
    if (a.start[i] != b.start[i]) return 0;
  return 1;
}

/* The rest of a text behind a prefix, or a null start. */
static inline text behind(text whole, text prefix) {
  if (whole.size < prefix.size || !equal((text){whole.start, prefix.size}, prefix))
    return (text){NULL, 0};
  return (text){whole.start + prefix.size, whole.size - prefix.size};
}

static text revealed(int32_t secret) {
  variant value;
  reveal(secret, &value);
  return joined(value.tag == 0 ? TEXT("string ") : TEXT("bytes "), value.value);
}

/* The payload of the next event of one waitable. */
static uint32_t waited(int32_t waitable) {
  uint32_t event[2];
  int32_t set = set_new();
  join(waitable, set);
  set_wait(set, event);
  join(waitable, 0);
  set_drop(set);
  return event[1];
}

/* The result of a read or write: the count above four bits, of which 0 says that more may come. */
static uint32_t copied(int32_t stream, uint32_t result) {
  return result == (uint32_t)BLOCKED ? waited(stream) : result;
}

static text received(int32_t stream) {
  char *bytes = canonical_realloc(NULL, 0, 1, LARGEST);
  text whole = {bytes, 0};
  for (uint32_t result = 0; (result & 15) == 0 && whole.size < LARGEST;) {
    result = copied(
        stream, received_read(stream, bytes + whole.size, LARGEST - whole.size));
    whole.size += result >> 4;
  }
  received_drop(stream);
  return whole;
}

static void send(text subject, text body) {
  outcome result;
  uint64_t ends = sent_new();
  int32_t writable = (int32_t)(ends >> 32);
  message sent = {.subject = subject, .body = (int32_t)ends, .has_reply = 0};
  uint32_t state = publish(&sent, &result);
  for (uint32_t done = 0; body.size > 0 && (done & 15) == 0;) {
    done = copied(writable, sent_write(writable, body.start, body.size));
    body = (text){body.start + (done >> 4), body.size - (done >> 4)};
  }
  sent_drop(writable);
  int32_t subtask = (int32_t)(state >> 4);
  for (state &= 15; subtask != 0 && state != RETURNED;) state = waited(subtask);
  if (subtask != 0) subtask_drop(subtask);
}

static text answer(text command);

/* result<_, handle-message-error>, of which the tag 0 is success. */
EXPORT(HANDLER "#handle-message")
outcome *handle_message(const char *subject, size_t subject_size, int32_t body, int32_t has_reply,
                        const char *reply, size_t reply_size) {
  static outcome result;
  (void)subject;
  (void)subject_size;
  text command = received(body);
  if (has_reply) send((text){reply, reply_size}, answer(command));
  used = 0;
  return &result;
}
