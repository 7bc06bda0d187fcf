/* The example plug-in's way to the service, in a component that a released host runs: a message is
   AUTHORITY, namespace, workload and reference, a line each; the answer the status and the body. */
#include "canonical.h"
#include "service.h"

static text line(text *rest) {
  size_t size = 0;
  while (size < rest->size && rest->start[size] != '\n') size++;
  text first = {rest->start, size};
  size_t skipped = size < rest->size ? size + 1 : size;
  *rest = (text){rest->start + skipped, rest->size - skipped};
  return first;
}

static text answer(text command) {
  (void)revealed; /* of canonical.h, for components with secrets */
  text authority = line(&command), namespace = line(&command), workload = line(&command);
  answered said = ask_service(authority, namespace, workload, line(&command));
  char *status = canonical_realloc(NULL, 0, 1, 4);
  for (int i = 2, left = said.status; i >= 0; i--, left /= 10) status[i] = (char)('0' + left % 10);
  status[3] = ' ';
  return joined((text){status, 4}, said.body);
}
