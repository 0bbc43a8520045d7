/* Reads the plan that the daemon sends over the control connection. */
#include <stdlib.h>
#include <string.h>

#include "state.h"

static bool read_field(struct plan *plan, const struct field *field) {
  static const uint16_t numbers[] = {TAG_KIND,       TAG_TERMINAL,     TAG_HEIGHT,       TAG_WIDTH,
                                     TAG_OPEN_STDIN, TAG_STDIN_ONCE, TAG_LOG_MAX_SIZE, TAG_LOG_MAX_FILES,
                                     TAG_LOG_COMPRESS, TAG_OOM_SCORE};
  const char *text = NULL;
  uint64_t number = 0;
  bool is_number = false;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) is_number = is_number || numbers[i] == field->tag;
  if (is_number ? !field_as_number(field, &number) : !(text = field_as_text(field))) return false;
  switch (field->tag) {
    case TAG_KIND: plan->is_exec = number != 0; break;
    case TAG_TERMINAL: plan->terminal = number != 0; break;
    case TAG_HEIGHT: plan->height = (uint16_t)number; break;
    case TAG_WIDTH: plan->width = (uint16_t)number; break;
    case TAG_OPEN_STDIN: plan->open_stdin = number != 0; break;
    case TAG_STDIN_ONCE: plan->stdin_once = number != 0; break;
    case TAG_LOG_MAX_SIZE: plan->log_max_size = number; break;
    case TAG_LOG_MAX_FILES: plan->log_max_files = number; break;
    case TAG_LOG_COMPRESS: plan->log_compress = number != 0; break;
    /* Counted from the lowest that there is, since numbers have no sign. */
    case TAG_OOM_SCORE: plan->oom_score_adj = number > 2000 ? 1000 : (int)number - 1000; break;
    case TAG_PATH: plan->runtime = text; break;
    case TAG_CONTAINER_ID: plan->container_id = text; break;
    case TAG_BUNDLE: plan->bundle = text; break;
    case TAG_PROCESS_FILE: plan->process_file = text; break;
    case TAG_LOG_PATH: plan->log_path = text; break;
    case TAG_LOG_ATTRIBUTES: plan->log_attributes = text; break;
    case TAG_STATE_DIRECTORY: plan->state_directory = text; break;
    case TAG_HIDE_CGROUP2: plan->hide_cgroup2 = text; break;
    case TAG_ARGUMENT:
      if (plan->global_argument_count == MAX_GLOBAL_ARGUMENTS) return false;
      plan->global_arguments[plan->global_argument_count++] = text;
      break;
    case TAG_CGROUP:
      if (plan->cgroup_count == MAX_CGROUPS) return false;
      plan->cgroups[plan->cgroup_count++] = text;
      break;
    default: return false;
  }
  return true;
}

static bool is_absolute(const char *path) { return path && path[0] == '/'; }

static bool is_complete(const struct plan *plan) {
  if (!is_absolute(plan->runtime) || !plan->container_id || plan->container_id[0] == '-') return false;
  if (!is_absolute(plan->is_exec ? plan->process_file : plan->bundle)) return false;
  if (plan->log_path && !is_absolute(plan->log_path)) return false;
  if (plan->state_directory && !is_absolute(plan->state_directory)) return false;
  for (size_t i = 0; i < plan->cgroup_count; i++)
    if (!is_absolute(plan->cgroups[i])) return false;
  return true;
}

bool plan_parse(struct monitor *monitor, const struct message *message) {
  /* The message lies in the connection's buffer, so a copy is kept for the texts. */
  unsigned char *bytes = malloc(message->size + 1);
  if (!bytes) return false;
  memcpy(bytes, message->fields, message->size);
  struct message copy = {.fields = bytes, .size = message->size};
  struct plan plan = {0};
  struct field field;
  bool valid = true;
  for (size_t at = 0; valid && next_field(&copy, &at, &field);) valid = read_field(&plan, &field);
  if (!valid || !is_complete(&plan)) {
    free(bytes);
    return false;
  }
  monitor->plan = plan;
  monitor->plan_bytes = bytes;
  return true;
}
