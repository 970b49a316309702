/** What failed, for the log. A failed query names its values in its message, and those are its owner's; its cause does not. */
export function reasonOf(error: unknown): string {
  return String(error instanceof Error && error.cause !== undefined ? error.cause : error)
}
