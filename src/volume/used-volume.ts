import { FailedPrecondition } from "../base/errors.ts"

/** A volume cannot go, or get another name, while containers refer to it: each is named. */
export function usedVolume(name: string, users: readonly { id: string; name: string }[]): FailedPrecondition {
  const [first] = users
  const names = users.map((user) => `"${user.name}"`).join(", ")
  return new FailedPrecondition(`volume "${name}" is in use by container${users.length > 1 ? "s" : ""} ${names}`, {
    hint: { do: "removeForced", container: first?.name ?? "" },
    data: { object: "volume", name, user: first?.id, users: users.map(({ id }) => id).join(", ") },
  })
}
