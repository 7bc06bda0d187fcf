/* A host component plug-in: wasmcloud:secrets store and reveal for every workload that is bound.

   A workload writes references into the configuration of its entry for wasmcloud:secrets, as for the
   relay: {"db": "secret://cart/db"}. `store.get("db")` then asks the service for that secret, for the
   namespace and name that the host said when it bound the workload. */
#include "canonical.h"
#include "service.h"

enum { WORKLOADS = 64, ROOM = 1 << 13, SECRETS = 64 };

typedef struct {
  uint8_t is_some;
  text value;
} option_text;

typedef struct {
  const void *start;
  size_t size;
} list;

typedef struct {
  text key, value;
} pair;

typedef struct {
  text namespace, package;
  list interfaces;
  struct {
    uint8_t is_some;
    struct {
      uint64_t numbers[3];
      option_text pre, build;
    } value;
  } version;
  option_text name, external_id;
  list config;
} binding;

/* What is known of a bound workload. Texts of it lie in its room. */
static struct {
  text id, namespace, name;
  pair references[64];
  size_t count, filled;
  char room[ROOM];
} workloads[WORKLOADS];

static struct {
  uint8_t is_taken;
  size_t size;
  char value[LARGEST_VALUE];
} secrets[SECRETS];

IMPORT("wasmcloud:host/identity@0.1.3", "get-workload-id") void caller_id(text *id);
IMPORT("[export]wasmcloud:secrets/store@2.1.0", "[resource-new]secret")
int32_t secret_handle(int32_t number);

typedef struct {
  uint8_t is_error;
  union {
    option_text value;
    char whole_error[12];
  };
} configured;

IMPORT("wasi:config/store@0.2.0-rc.1", "get")
void get_config(const char *key, size_t size, configured *result);

static int begins(text whole, text prefix) {
  return whole.size >= prefix.size && equal((text){whole.start, prefix.size}, prefix);
}

/* The text as it lies in the workload's room; a null start if there is none left. */
static text kept(size_t number, text given) {
  if (workloads[number].filled + given.size > ROOM) return (text){NULL, 0};
  char *start = workloads[number].room + workloads[number].filled;
  for (size_t i = 0; i < given.size; i++) start[i] = given.start[i];
  workloads[number].filled += given.size;
  return (text){start, given.size};
}

/* The number of a bound workload, or of a free place for an empty id; WORKLOADS if there is none. */
static size_t place_of(text id) {
  size_t number = 0;
  while (number < WORKLOADS && !equal(workloads[number].id, id)) number++;
  return number;
}

static int keep_references(size_t number, const binding *entry) {
  const pair *config = entry->config.start;
  for (size_t i = 0; i < entry->config.size; i++) {
    if (!begins(config[i].value, TEXT("secret://"))) continue;
    size_t count = workloads[number].count;
    if (count == sizeof workloads[0].references / sizeof(pair)) return 0;
    pair one = {kept(number, config[i].key), kept(number, config[i].value)};
    if (one.key.start == NULL || one.value.start == NULL) return 0;
    workloads[number].references[count] = one;
    workloads[number].count++;
  }
  return 1;
}

static void forget(size_t number) {
  workloads[number].id = (text){NULL, 0};
  workloads[number].count = workloads[number].filled = 0;
}

static text bind(text id, text name, text namespace, list interfaces) {
  size_t number = place_of(id);
  if (number < WORKLOADS) forget(number);
  number = place_of((text){NULL, 0});
  if (number == WORKLOADS) return TEXT("wasmcloud-secrets: too many workloads on this host");
  workloads[number].name = kept(number, name);
  workloads[number].namespace = kept(number, namespace);
  workloads[number].id = kept(number, id);
  int fits = workloads[number].id.start != NULL && workloads[number].name.start != NULL &&
             workloads[number].namespace.start != NULL;
  const binding *entries = interfaces.start;
  for (size_t i = 0; fits && i < interfaces.size; i++) fits = keep_references(number, &entries[i]);
  if (fits) return (text){NULL, 0};
  forget(number);
  return TEXT("wasmcloud-secrets: too many references, or too long ones");
}

EXPORT("wasmcloud:host/workload-lifecycle@0.1.3#on-workload-bind")
option_text *on_workload_bind(const char *id, size_t id_size, const char *name, size_t name_size,
                              const char *namespace, size_t namespace_size, int32_t has_service,
                              const char *service, size_t service_size, const void *components,
                              size_t component_count, const void *entries, size_t entry_count) {
  static option_text result; /* laid out as result<_, string> is */
  (void)has_service, (void)service, (void)service_size, (void)components, (void)component_count;
  result.value = bind((text){id, id_size}, (text){name, name_size},
                      (text){namespace, namespace_size}, (list){entries, entry_count});
  result.is_some = result.value.start != NULL;
  used = 0;
  return &result;
}

EXPORT("wasmcloud:host/workload-lifecycle@0.1.3#on-workload-unbind")
void on_workload_unbind(const char *id, size_t size) {
  size_t number = place_of((text){id, size});
  if (size > 0 && number < WORKLOADS) forget(number);
  used = 0;
}

enum { UPSTREAM, IO, NOT_FOUND };

/* result<secret, secrets-error> */
typedef struct {
  uint8_t is_error;
  union {
    int32_t handle;
    struct {
      uint8_t kind;
      text said;
    };
  };
} got;

static got error(uint8_t kind, text said) {
  got result = {.is_error = 1};
  result.kind = kind;
  result.said = said;
  return result;
}

static got kept_secret(text value) {
  int32_t number = 0;
  while (number < SECRETS && secrets[number].is_taken) number++;
  if (number == SECRETS) return error(IO, TEXT("too many secrets are held; drop some"));
  secrets[number].is_taken = 1;
  secrets[number].size = value.size;
  for (size_t i = 0; i < value.size; i++) secrets[number].value[i] = value.start[i];
  got result = {.is_error = 0};
  result.handle = secret_handle(number);
  return result;
}

static got get(text key) {
  text id;
  caller_id(&id);
  size_t number = place_of(id);
  if (id.size == 0 || number == WORKLOADS) return error(IO, TEXT("the host bound no such workload"));
  text reference = {NULL, 0};
  for (size_t i = 0; i < workloads[number].count; i++)
    if (equal(workloads[number].references[i].key, key))
      reference = workloads[number].references[i].value;
  if (reference.start == NULL) return error(NOT_FOUND, TEXT(""));
  configured service;
  get_config("service", 7, &service);
  if (service.is_error || !service.value.is_some)
    return error(IO, TEXT("the plug-in's config has no service: HOST:PORT"));
  answered answer = ask_service(service.value.value, workloads[number].namespace,
                                workloads[number].name, reference);
  switch (answer.status) {
    case 200: return kept_secret(answer.body);
    case 404: return error(NOT_FOUND, TEXT(""));
    case 0: return error(IO, answer.body);
    default: return error(UPSTREAM, answer.body);
  }
}

EXPORT("wasmcloud:secrets/store@2.1.0#get")
got *store_get(const char *key, size_t size) {
  static got result;
  result = get((text){key, size});
  if (!result.is_error)
    for (size_t i = 0; i < used; i++) ((volatile char *)arena)[i] = 0;
  used = 0;
  return &result;
}

EXPORT("wasmcloud:secrets/store@2.1.0#[dtor]secret")
void secret_dropped(int32_t number) {
  for (size_t i = 0; i < LARGEST_VALUE; i++) ((volatile char *)secrets[number].value)[i] = 0;
  secrets[number].is_taken = 0;
}

/* secret-value, of which the tag 0 is a string. */
EXPORT("wasmcloud:secrets/reveal@2.1.0#reveal")
option_text *reveal(int32_t number) {
  static option_text result;
  result = (option_text){0, {secrets[number].value, secrets[number].size}};
  return &result;
}
