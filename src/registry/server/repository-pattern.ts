/** Whether a pattern means a repository: `team/app`, `team/*` (one part), `team/**` (all below), `**`. Pure. */
export function isRepositoryOf(pattern: string, repository: string): boolean {
  const [parts, names] = [pattern.split("/"), repository.split("/")]
  for (const [index, part] of parts.entries()) {
    if (part === "**") return names.length > index || index === 0
    if (names[index] === undefined || (part !== "*" && part !== names[index])) return false
  }
  return parts.length === names.length
}
