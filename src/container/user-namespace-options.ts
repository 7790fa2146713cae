/** Ids of a user namespace: `count` ids from `inside` on are those from `outside` on of the namespace that the engine is in. */
export interface IdMapping {
  inside: number
  outside: number
  count: number
  /** `outside` is an id of the host, also where the engine has ids of its own. */
  ofHost?: boolean
}

/**
 * Whose ids a container has. Default and `host`: the engine's, which are an ordinary user's own and his subordinate ones.
 *
 *   auto       ids of its own, which no other container has, for as long as it exists
 *   keep-id    the caller is the same number inside, and the program's user
 *   nomap      the caller is nobody inside
 *   as-caller  the program's user is the caller on the host, and all others are who they are without; `isAutomatic`: nobody asked for it
 *   mapped     as given; `subordinate`: all ranges of that name in /etc/subuid and /etc/subgid
 */
export type UserNamespaceMode =
  | { kind: "host" }
  | { kind: "auto"; size?: number; uids?: readonly IdMapping[]; gids?: readonly IdMapping[] }
  | { kind: "keep-id"; uid?: number; gid?: number }
  | { kind: "nomap" }
  | { kind: "as-caller"; isAutomatic?: true }
  | { kind: "mapped"; uids: readonly IdMapping[]; gids: readonly IdMapping[] }
  | { kind: "subordinate"; uidName: string; gidName: string }
  | { kind: "container"; container: string }
  | { kind: "path"; path: string }
