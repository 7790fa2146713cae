import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { noProgress } from "../../base/progress.ts"
import type { Bytes } from "../../content/content.ts"
import { DEFAULT_PATH } from "../../spec/docker/environment.ts"
import { hostPlatform } from "../../spec/platform.ts"
import { isSingleIdMap } from "../../sys/rootless/namespaces.ts"
import type { BootstrapRequest, BootstrapResult, CreateImageOptions, Images } from "../image.ts"
import { familiarReference, parseReference, taggedName } from "../reference.ts"

/** What a base image is made of: its tar, and all but the name. */
interface Base {
  tar: Bytes
  options: CreateImageOptions
  /** `busybox:latest`, `debian:bookworm`. */
  shortNames: readonly string[]
}

/** Makes a base image from the distribution's packages; see `Images.bootstrap`. */
export async function bootstrapImage(images: Images, request: BootstrapRequest): Promise<BootstrapResult> {
  const given = (request.names ?? []).map(taggedName) // a wrong name is refused before minutes of work
  const { tar, options, shortNames } =
    request.base === "busybox" ? await busyboxBase(request) : await debianBase(request)
  const names = given.length > 0 ? given : defaultNames(images, shortNames)
  const image = await images.createFromTar(tar, { ...options, name: names[0] })
  for (const name of names) images.tag(image.id, name)
  return { image: images.get(image.id), names: names.map((name) => familiarReference(parseReference(name))) }
}

/**
 * `localhost/busybox:latest` says that it was made here. `busybox` alone means docker.io's: that name is given too, so that
 * `skiff run busybox` finds it, unless an image pulled from there has it.
 */
function defaultNames(images: Images, shortNames: readonly string[]): string[] {
  const own = shortNames.map((name) => `localhost/${name}`)
  const free = shortNames.filter((name) => {
    const holder = images.find(name)
    return holder === undefined || holder.repoDigests.length === 0
  })
  return [...own, ...free].map(taggedName)
}

async function busyboxBase({ suite, onProgress = noProgress }: BootstrapRequest): Promise<Base> {
  if (suite !== undefined) throw new InvalidArgument(`busybox has no suite "${suite}"`)
  const { busyboxRoot, obtainBusybox } = await import("./busybox.ts")
  const { ustar } = await import("./ustar.ts")
  onProgress({ id: "busybox", stage: "searching" })
  const busybox = await obtainBusybox()
  const timeSeconds = sourceDateEpoch() ?? busybox.builtAtSeconds
  onProgress({ id: "busybox", stage: "found", subject: busybox.version, current: busybox.applets.length })
  return {
    tar: toBytes(ustar(busyboxRoot(busybox), timeSeconds)),
    shortNames: ["busybox:latest"],
    options: {
      ...describe(timeSeconds, ["sh"]),
      createdBy: `skiff image bootstrap busybox # ${busybox.version}`,
      onProgress,
    },
  }
}

async function debianBase({ suite, onProgress = noProgress, signal }: BootstrapRequest): Promise<Base> {
  if (isSingleIdMap())
    throw new FailedPrecondition("a Debian base image has files of many users, and you have no range in /etc/subuid", {
      hint: { do: "diagnose" },
    })
  const { debianTar, defaultSuite } = await import("./debian.ts")
  const chosen = suite ?? defaultSuite()
  // it becomes a word of mmdebstrap's command line, and a tag
  if (!/^[a-z][a-z0-9.-]*$/.test(chosen))
    throw new InvalidArgument(`invalid suite "${chosen}"`, { hint: "expected a name such as bookworm or stable" })
  return {
    tar: debianTar(chosen, onProgress, signal),
    shortNames: [`debian:${chosen}`, ...(suite === undefined ? ["debian:latest"] : [])],
    options: {
      ...describe(sourceDateEpoch() ?? Math.floor(Date.now() / 1000), ["bash"]),
      createdBy: `skiff image bootstrap debian:${chosen} # mmdebstrap --variant=minbase`,
      onProgress,
    },
  }
}

function describe(createdSeconds: number, command: string[]): Pick<CreateImageOptions, "config"> {
  const { os, architecture, variant } = hostPlatform()
  return {
    config: {
      created: new Date(createdSeconds * 1000).toISOString(),
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      config: { Env: [`PATH=${DEFAULT_PATH}`], Cmd: command },
    },
  }
}

/** reproducible-builds.org, SOURCE_DATE_EPOCH: seconds that stand for "now" in what is made. */
function sourceDateEpoch(): number | undefined {
  const text = process.env.SOURCE_DATE_EPOCH
  if (text === undefined || text === "") return undefined
  if (!/^\d{1,11}$/.test(text)) throw new InvalidArgument(`SOURCE_DATE_EPOCH "${text}" is not a number of seconds`)
  return Number(text)
}

async function* toBytes(chunks: Iterable<Uint8Array>): Bytes {
  yield* chunks
}
