import { FailedPrecondition } from "../base/errors.ts"
import type { Hint, Remedy } from "../base/hint.ts"
import { shortDigest, type Digest } from "../spec/digest.ts"
import type { Image, RemoveImageResult } from "./image.ts"
import type { ImageRecords } from "./records.ts"
import { familiarName, parseReference } from "./reference.ts"

/** A container that stands on an image. */
export interface ImageUser {
  name: string
  kind: "running container" | "stopped container" | "working container"
}

/** The containers that stand on an image. */
export type UsedBy = (imageId: Digest) => readonly ImageUser[]

/**
 * Takes a name or an image out of the records by docker's rules: a name of several is only untagged; the last name takes the
 * image with it; an id takes all names, when they are of one repository or `force` is set. The layers are the collector's.
 */
export function removeFromRecords(
  records: ImageRecords,
  nameOrId: string,
  usedBy: UsedBy,
  force: boolean,
): RemoveImageResult {
  return records.transaction(() => {
    const { image, name } = records.mustLocate(nameOrId)
    return name === undefined
      ? removeById(records, image, usedBy, force)
      : removeByName(records, image, name, usedBy, force)
  })
}

function removeById(records: ImageRecords, image: Image, usedBy: UsedBy, force: boolean): RemoveImageResult {
  const names = [...image.tags, ...image.repoDigests]
  const members = membersOf(records, image, image.tags)
  const repositories = new Set(names.map(repositoryOf))
  const id = shortDigest(image.id)
  if (!force && repositories.size > 1 && image.tags.length > 1)
    throw conflict(`unable to delete ${id} (must be forced) - image is referenced in multiple repositories`)
  refuseWhenUsed(image, usedBy, force)
  for (const name of names) records.unsetName(name)
  const deleted = [...deleteUnused(records, image, usedBy), ...deleteMembers(records, members, names, usedBy)]
  return { untagged: names.map(familiarName), deleted }
}

function removeByName(
  records: ImageRecords,
  image: Image,
  name: string,
  usedBy: UsedBy,
  force: boolean,
): RemoveImageResult {
  const isLast = image.tags.every((tag) => tag === name) && image.repoDigests.every((d) => sameRepository(d, name))
  const [user] = usedBy(image.id)
  if (isLast && user && !force)
    throw conflict(
      `unable to remove repository reference "${familiarName(name)}" (must force) - container ${user.name} is using its referenced image ${shortDigest(image.id)}`,
      user,
    )
  // the digests of a repository go with its last tag
  const others = image.tags.some((tag) => tag !== name && sameRepository(tag, name))
  const members = membersOf(records, image, [name])
  const gone = others ? [name] : [name, ...image.repoDigests.filter((d) => d !== name && sameRepository(d, name))]
  const untagged = gone.filter((each) => records.unsetName(each)).map(familiarName)
  const left = records.get(image.id)
  const own = isNamed(left) ? [] : deleteUnused(records, image, usedBy)
  return { untagged, deleted: [...own, ...deleteMembers(records, members, [name], usedBy)] }
}

/** The other images of the indexes that these names lead to. */
function membersOf(records: ImageRecords, { id }: Image, names: readonly string[]): Image[] {
  return names.flatMap((name) => records.membersOf(name)).filter((member) => member.id !== id)
}

/** What nothing but an index named goes with the index's name. */
function deleteMembers(
  records: ImageRecords,
  members: readonly Image[],
  gone: readonly string[],
  usedBy: UsedBy,
): Digest[] {
  return members.flatMap(({ id }) => {
    const member = records.byId(id)
    if (member === undefined || records.isMember(id)) return []
    for (const digest of member.repoDigests)
      if (gone.some((name) => sameRepository(name, digest))) records.unsetName(digest)
    return isNamed(records.get(id)) ? [] : deleteUnused(records, member, usedBy)
  })
}

function isNamed({ tags, repoDigests }: Image): boolean {
  return tags.length + repoDigests.length > 0
}

/** What a container stands on stays, without a name, however it was forced: the container must be able to start again. */
function deleteUnused(records: ImageRecords, image: Image, usedBy: UsedBy): Digest[] {
  if (usedBy(image.id).length > 0) return []
  records.delete(image.id)
  return [image.id]
}

/** Throws FailedPrecondition while a running container uses it; a stopped one yields to `force`. */
function refuseWhenUsed(image: Image, usedBy: UsedBy, force: boolean): void {
  const users = usedBy(image.id)
  const running = users.find(({ kind }) => kind === "running container")
  const user = running ?? (force ? undefined : users[0])
  if (!user) return
  const how = running ? "cannot be forced" : "must be forced"
  throw conflict(
    `unable to delete ${shortDigest(image.id)} (${how}) - image is being used by ${user.kind} ${user.name}`,
    user,
  )
}

function conflict(message: string, user?: ImageUser): FailedPrecondition {
  const hint: Hint = user ? remedyFor(user) : ["name the tag to remove", { do: "set", field: "force" }]
  return new FailedPrecondition(`conflict: ${message}`, { hint, data: { object: "image", user: user?.name } })
}

/** The container goes first. */
function remedyFor({ name, kind }: ImageUser): Remedy {
  if (kind === "working container") return { do: "removeWorkingContainer", container: name }
  return { do: kind === "running container" ? "removeForced" : "remove", container: name }
}

function repositoryOf(name: string): string {
  const { registry, repository } = parseReference(name)
  return `${registry}/${repository}`
}

function sameRepository(a: string, b: string): boolean {
  return repositoryOf(a) === repositoryOf(b)
}
