import type { Container, ContainerSize } from "../../container/container.ts"

/** What `ps --sort` may be given. */
export const SORT_KEYS = ["command", "created", "id", "image", "names", "runningfor", "size", "status"] as const

type SortKey = (typeof SORT_KEYS)[number]

/** The order of a key: texts by their letters, the oldest and the smallest first. */
export function compareBy(
  key: SortKey,
  sizes: ReadonlyMap<string, ContainerSize>,
): (a: Container, b: Container) => number {
  switch (key) {
    case "size":
      return (a, b) => (sizes.get(a.id)?.writableBytes ?? 0) - (sizes.get(b.id)?.writableBytes ?? 0)
    case "created":
    case "runningfor":
      return (a, b) => a.createdAt.getTime() - b.createdAt.getTime()
    case "command":
      return byText(({ argv }) => argv.join(" "))
    case "id":
      return byText(({ id }) => id)
    case "image":
      return byText(({ options }) => options.image)
    case "names":
      return byText(({ name }) => name)
    case "status":
      return byText(({ state }) => state.status)
  }
}

function byText(text: (container: Container) => string): (a: Container, b: Container) => number {
  return (a, b) => {
    const [left, right] = [text(a), text(b)]
    return left < right ? -1 : left > right ? 1 : 0
  }
}
