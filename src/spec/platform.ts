import { InvalidArgument } from "../base/errors.ts"

/** A platform as an image index names it (image-spec image-index.md): GOOS, GOARCH, variant. */
export interface Platform {
  os: string
  architecture: string
  variant?: string
  "os.version"?: string
}

const GOARCH: Record<string, Pick<Platform, "architecture" | "variant">> = {
  x64: { architecture: "amd64" },
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  amd64: { architecture: "amd64" },
  arm64: { architecture: "arm64", variant: "v8" },
  aarch64: { architecture: "arm64", variant: "v8" },
  arm: { architecture: "arm", variant: "v7" },
  armhf: { architecture: "arm", variant: "v7" },
  i386: { architecture: "386" },
  ia32: { architecture: "386" },
  "386": { architecture: "386" },
}

/** The platform of this host. */
export function hostPlatform(): Platform {
  return { os: "linux", ...(GOARCH[process.arch] ?? { architecture: process.arch }) }
}

/** Parses docker's `--platform`: `linux/arm64/v8`, `linux/amd64`, `arm64`. Throws InvalidArgument. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/")
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part)))
    throw new InvalidArgument(`invalid platform "${text}"`, { hint: "expected OS/ARCH[/VARIANT], such as linux/arm64" })
  const [os, arch, variant] = parts.length === 1 ? ["linux", parts[0] ?? ""] : parts
  const known = GOARCH[arch ?? ""] ?? { architecture: arch ?? "" }
  return { os: os ?? "linux", ...known, ...(variant === undefined ? {} : { variant }) }
}

/** `linux/amd64`, `linux/arm/v7`; arm64's v8 is left out, as docker does. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, architecture === "arm64" && variant === "v8" ? undefined : variant]
    .filter(Boolean)
    .join("/")
}

/**
 * The platforms that run where `wanted` is asked for, best first, as containerd's `platforms.Only` orders them:
 * an arm v7 host also runs v6 and v5, an arm64 host also arm, an amd64 host also 386.
 */
export function compatiblePlatforms(wanted: Platform): Platform[] {
  const { os, architecture, variant } = wanted
  const down = (from: string | undefined, names: readonly string[]) =>
    names.slice(Math.max(0, names.indexOf(from ?? ""))).map((name) => ({ os, architecture: "arm", variant: name }))
  if (architecture === "arm64") return [wanted, ...down("v8", ARM_VARIANTS)]
  if (architecture === "arm") return down(variant ?? "v7", ARM_VARIANTS)
  if (architecture === "amd64") return [...amd64Levels(wanted), { os, architecture: "386" }]
  return [wanted]
}

const ARM_VARIANTS = ["v8", "v7", "v6", "v5"] as const

function amd64Levels({ os, architecture, variant }: Platform): Platform[] {
  const level = Number(/^v([1-4])$/.exec(variant ?? "")?.[1] ?? 1)
  return Array.from({ length: level }, (_, index) => ({ os, architecture, variant: `v${level - index}` }))
}

/** Whether both name the same platform; a missing variant is the architecture's usual one. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture && usualVariant(a) === usualVariant(b)
}

function usualVariant({ architecture, variant }: Platform): string {
  return variant || ({ amd64: "v1", arm64: "v8", arm: "v7" }[architecture] ?? "")
}
