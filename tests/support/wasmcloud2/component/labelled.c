/* A component with one secret of a label of its own, `db`: every message is answered by its value. */
#include "canonical.h"

IMPORT("db", "get") int32_t db_get(void);

static text answer(text command) {
  (void)command;
  int32_t secret = db_get();
  text value = revealed(secret);
  secret_drop(secret);
  return value;
}
