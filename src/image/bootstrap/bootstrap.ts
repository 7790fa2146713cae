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
}

/** Makes a base image from the distribution's packages; see `Images.bootstrap`. */
export async function bootstrapImage(images: Images, request: BootstrapRequest): Promise<BootstrapResult> {
  const given = (request.names ?? []).map(taggedName) // a wrong name is refused before minutes of work
  const { tar, options } = request.base === "busybox" ? await busyboxBase(request) : await debianBase(request)
  // it was made here, and `busybox` finds it where no registry's image has that name
  const names = given.length > 0 ? given : [taggedName(`localhost/${request.base}:${request.tag ?? "latest"}`)]
  const image = await images.createFromTar(tar, { ...options, name: names[0] })
  for (const name of names) images.tag(image.id, name)
  return { image: images.get(image.id), names: names.map((name) => familiarReference(parseReference(name))) }
}

async function busyboxBase({ tag = "latest", onProgress = noProgress, signal }: BootstrapRequest): Promise<Base> {
  const { busyboxRoot, obtainBusybox } = await import("./busybox.ts")
  const { ustar } = await import("./ustar.ts")
  onProgress({ id: "busybox", stage: "searching" })
  const busybox = await obtainBusybox(signal)
  const version = /[\d.]+$/.exec(busybox.version)?.[0] ?? ""
  if (tag !== "latest" && tag !== "stable" && tag !== version && !version.startsWith(`${tag}.`))
    throw new InvalidArgument(`busybox "${tag}" is not on this host, only ${version}`, {
      hint: { valid: ["latest", "stable", version] },
    })
  const timeSeconds = sourceDateEpoch() ?? busybox.builtAtSeconds
  onProgress({ id: "busybox", stage: "found", subject: busybox.version, current: busybox.applets.length })
  return {
    tar: toBytes(ustar(busyboxRoot(busybox), timeSeconds)),
    options: {
      ...describe(timeSeconds, ["sh"]),
      createdBy: `skiff image bootstrap busybox # ${busybox.version}`,
      onProgress,
      ...(signal ? { signal } : {}),
    },
  }
}

async function debianBase({ tag = "latest", onProgress = noProgress, signal }: BootstrapRequest): Promise<Base> {
  if (isSingleIdMap())
    throw new FailedPrecondition("a Debian base image has files of many users, and you have no range in /etc/subuid", {
      hint: { do: "diagnose" },
    })
  const [{ debianTar, defaultSuite }, { suiteOfTag }] = await Promise.all([
    import("./debian.ts"),
    import("./debian-tags.ts"),
  ])
  const suite = suiteOfTag(tag) ?? defaultSuite()
  return {
    tar: debianTar(suite, (stage) => onProgress({ id: `debian:${tag}`, stage }), signal),
    options: {
      ...describe(sourceDateEpoch() ?? Math.floor(Date.now() / 1000), ["bash"]),
      createdBy: `skiff image bootstrap debian:${tag} # mmdebstrap --variant=minbase ${suite}`,
      onProgress,
      ...(signal ? { signal } : {}),
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
