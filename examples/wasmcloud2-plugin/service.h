/* Asks `wasmcloud-secrets v2 plugin-endpoint` for one secret by wasi:http 0.2. TLS and the client
   certificate are the host's: `--http-client-ca-path`, `--http-client-cert-path`. */
#pragma once

#define HTTP "wasi:http/types@0.2.0"

enum { HTTPS = 1, SECOND = 1000000000, CHUNK = 1 << 16, LARGEST_VALUE = 1 << 14 };

typedef struct {
  uint8_t is_error;
  int32_t handle;
} made;

/* result<future-incoming-response, error-code>, of which only the kind of error is read. */
typedef struct {
  _Alignas(8) uint8_t is_error;
  _Alignas(8) union {
    int32_t future;
    uint8_t error;
    char whole_error[32];
  };
} sent;

/* option<result<result<incoming-response, error-code>>> */
typedef struct {
  _Alignas(8) uint8_t is_there;
  _Alignas(8) uint8_t was_taken;
  sent answer;
} arrived;

typedef struct {
  uint8_t is_error;
  union {
    text bytes;
    struct {
      uint8_t is_closed;
      int32_t error;
    };
  };
} chunk;

IMPORT(HTTP, "[constructor]fields") int32_t new_fields(void);
IMPORT(HTTP, "[constructor]outgoing-request") int32_t new_request(int32_t fields);
IMPORT(HTTP, "[method]outgoing-request.set-scheme")
int32_t set_scheme(int32_t request, int32_t is_some, int32_t scheme, const char *other, size_t size);
IMPORT(HTTP, "[method]outgoing-request.set-authority")
int32_t set_authority(int32_t request, int32_t is_some, const char *start, size_t size);
IMPORT(HTTP, "[method]outgoing-request.set-path-with-query")
int32_t set_path(int32_t request, int32_t is_some, const char *start, size_t size);
IMPORT(HTTP, "[constructor]request-options") int32_t new_options(void);
IMPORT(HTTP, "[method]request-options.set-connect-timeout")
int32_t set_connect_timeout(int32_t options, int32_t is_some, uint64_t nanoseconds);
IMPORT(HTTP, "[method]request-options.set-first-byte-timeout")
int32_t set_answer_timeout(int32_t options, int32_t is_some, uint64_t nanoseconds);
IMPORT("wasi:http/outgoing-handler@0.2.0", "handle")
void handle(int32_t request, int32_t is_some, int32_t options, sent *result);
IMPORT(HTTP, "[resource-drop]outgoing-request") void drop_request(int32_t request);
IMPORT(HTTP, "[method]future-incoming-response.subscribe") int32_t subscribe(int32_t future);
IMPORT(HTTP, "[method]future-incoming-response.get") void get_response(int32_t future, arrived *result);
IMPORT(HTTP, "[resource-drop]future-incoming-response") void drop_future(int32_t future);
IMPORT("wasi:io/poll@0.2.0", "[method]pollable.block") void block(int32_t pollable);
IMPORT("wasi:io/poll@0.2.0", "[resource-drop]pollable") void drop_pollable(int32_t pollable);
IMPORT(HTTP, "[method]incoming-response.status") int32_t status_of(int32_t response);
IMPORT(HTTP, "[method]incoming-response.consume") void consume(int32_t response, made *body);
IMPORT(HTTP, "[resource-drop]incoming-response") void drop_response(int32_t response);
IMPORT(HTTP, "[method]incoming-body.stream") void stream_of(int32_t body, made *stream);
IMPORT(HTTP, "[resource-drop]incoming-body") void drop_body(int32_t body);
IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.blocking-read")
void read_some(int32_t stream, uint64_t most, chunk *result);
IMPORT("wasi:io/streams@0.2.0", "[resource-drop]input-stream") void drop_stream(int32_t stream);
IMPORT("wasi:io/error@0.2.0", "[resource-drop]error") void drop_error(int32_t error);

/* Status 0: no answer came, and the text says why. */
typedef struct {
  int32_t status;
  text body;
} answered;

static text percent_encoded(text plain) {
  static const char digits[] = "0123456789ABCDEF";
  char *start = canonical_realloc(NULL, 0, 1, 3 * plain.size);
  size_t size = 0;
  for (size_t i = 0; i < plain.size; i++) {
    unsigned char byte = (unsigned char)plain.start[i];
    int is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                   (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
    if (is_plain) {
      start[size++] = (char)byte;
    } else {
      start[size++] = '%';
      start[size++] = digits[byte >> 4];
      start[size++] = digits[byte & 15];
    }
  }
  return (text){start, size};
}

static answered failed(text why) { return (answered){0, why}; }

static answered read_whole(int32_t stream) {
  text whole = {NULL, 0};
  for (;;) {
    chunk some;
    read_some(stream, CHUNK, &some);
    if (some.is_error && some.is_closed) return (answered){200, whole};
    if (some.is_error) {
      drop_error(some.error);
      return failed(TEXT("the answer broke off"));
    }
    whole = joined(whole, some.bytes);
    if (whole.size > LARGEST_VALUE) return failed(TEXT("the value is too long for this plug-in"));
  }
}

static answered read_response(int32_t response) {
  made body, stream;
  answered result = failed(TEXT("the answer has no body"));
  consume(response, &body);
  if (!body.is_error) {
    stream_of(body.handle, &stream);
    if (!stream.is_error) {
      result = read_whole(stream.handle);
      if (result.status != 0) result.status = status_of(response);
      drop_stream(stream.handle);
    }
    drop_body(body.handle);
  }
  drop_response(response);
  return result;
}

/* authority: HOST:PORT of the endpoint, which the host must be allowed to reach. */
static answered ask_service(text authority, text namespace, text workload, text reference) {
  text path = joined(TEXT("/v1/secret?namespace="), percent_encoded(namespace));
  path = joined(joined(path, TEXT("&workload=")), percent_encoded(workload));
  path = joined(joined(path, TEXT("&reference=")), percent_encoded(reference));
  int32_t request = new_request(new_fields());
  if (set_scheme(request, 1, HTTPS, NULL, 0) != 0 ||
      set_authority(request, 1, authority.start, authority.size) != 0 ||
      set_path(request, 1, path.start, path.size) != 0) {
    drop_request(request);
    return failed(TEXT("the service's address is no HOST:PORT"));
  }
  int32_t options = new_options();
  set_connect_timeout(options, 1, 5ull * SECOND);
  set_answer_timeout(options, 1, 12ull * SECOND);
  sent result;
  handle(request, 1, options, &result);
  if (result.is_error) return failed(TEXT("the host lets nothing be sent to the service"));
  int32_t pollable = subscribe(result.future);
  block(pollable);
  drop_pollable(pollable);
  arrived response;
  get_response(result.future, &response);
  drop_future(result.future);
  if (!response.is_there || response.was_taken || response.answer.is_error)
    return failed(TEXT("the service was not reached, or TLS failed"));
  return read_response(response.answer.future);
}
