/* A component that tells what it can read: one command a message, the answer to its reply subject.

   secret KEY   the value of wasmcloud:secrets store and reveal: "string …" or "bytes …"
   file PATH    the bytes of a file in a mounted directory, opened anew: "file …"
   env NAME     a variable of its environment: "env …"

   An error is "error …" and its kind: the case of secrets-error, the number of error-code. */
#include "canonical.h"

typedef struct {
  uint8_t is_error;
  union {
    int32_t secret;
    variant error;
  };
} got_secret;

IMPORT("wasmcloud:secrets/store@2.1.0", "get")
void store_get(const char *key, size_t size, got_secret *result);

typedef struct {
  int32_t descriptor;
  text path;
} preopen;

typedef struct {
  const void *start;
  size_t size;
} list;

typedef struct {
  uint8_t is_error;
  union {
    int32_t descriptor;
    uint8_t error;
  };
} opened;

typedef struct {
  uint8_t is_error;
  union {
    struct {
      text bytes;
      uint8_t at_end;
    };
    uint8_t error;
  };
} chunk;

IMPORT("wasi:filesystem/preopens@0.2.0", "get-directories") void get_directories(list *result);
IMPORT("wasi:filesystem/types@0.2.0", "[method]descriptor.open-at")
void open_at(int32_t directory, int32_t path_flags, const char *path, size_t size,
             int32_t open_flags, int32_t descriptor_flags, opened *result);
IMPORT("wasi:filesystem/types@0.2.0", "[method]descriptor.read")
void read_at(int32_t file, uint64_t length, uint64_t offset, chunk *result);
IMPORT("wasi:filesystem/types@0.2.0", "[resource-drop]descriptor") void descriptor_drop(int32_t descriptor);
IMPORT("wasi:cli/environment@0.2.0", "get-environment") void get_environment(list *result);

enum { FOLLOW = 1, READ = 1, WHOLE = 1 << 20 };

static text number(unsigned value) {
  char *digits = canonical_realloc(NULL, 0, 1, 3);
  digits[0] = (char)('0' + value / 100 % 10);
  digits[1] = (char)('0' + value / 10 % 10);
  digits[2] = (char)('0' + value % 10);
  return (text){digits, 3};
}

static text secret(text key) {
  got_secret got;
  store_get(key.start, key.size, &got);
  if (got.is_error) switch (got.error.tag) {
      case 0: return joined(TEXT("error upstream "), got.error.value);
      case 1: return joined(TEXT("error io "), got.error.value);
      default: return TEXT("error not-found");
    }
  text value = revealed(got.secret);
  secret_drop(got.secret);
  return value;
}

/* PATH begins with the directory's mount path. */
static text file(text path) {
  list directories;
  get_directories(&directories);
  const preopen *each = directories.start;
  text said = TEXT("error no-such-mount");
  for (size_t i = 0; i < directories.size; i++) {
    text inside = behind(path, joined(each[i].path, TEXT("/")));
    opened open;
    if (inside.start != NULL) {
      open_at(each[i].descriptor, FOLLOW, inside.start, inside.size, 0, READ, &open);
      if (open.is_error) {
        said = joined(TEXT("error open "), number(open.error));
      } else {
        chunk bytes;
        read_at(open.descriptor, WHOLE, 0, &bytes);
        said = bytes.is_error ? joined(TEXT("error read "), number(bytes.error))
                              : joined(TEXT("file "), bytes.bytes);
        descriptor_drop(open.descriptor);
      }
    }
    descriptor_drop(each[i].descriptor);
  }
  return said;
}

static text variable(text name) {
  list variables;
  get_environment(&variables);
  const struct {
    text name, value;
  } *each = variables.start;
  for (size_t i = 0; i < variables.size; i++)
    if (equal(each[i].name, name)) return joined(TEXT("env "), each[i].value);
  return TEXT("error no-such-variable");
}

static text answer(text command) {
  text rest = behind(command, TEXT("secret "));
  if (rest.start != NULL) return secret(rest);
  rest = behind(command, TEXT("file "));
  if (rest.start != NULL) return file(rest);
  rest = behind(command, TEXT("env "));
  if (rest.start != NULL) return variable(rest);
  return TEXT("error unknown-command");
}
