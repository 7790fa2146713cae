import { release } from "node:os"

/** What `version` knows. */
export interface VersionFacts {
  version: string
  bun: string | undefined
  os: string
  architecture: string
}

/** What `version` says: as a document, and as lines. */
export interface VersionAnswer {
  document: object
  text: string
}

/** Skiff's own. Templates of docker ask for a client and a server: here they are one. */
export function skiffVersion({ version, bun, os, architecture }: VersionFacts): VersionAnswer {
  const build = { Version: version, BunVersion: bun, Os: os, Arch: architecture }
  const none = {
    ApiVersion: "",
    APIVersion: "",
    MinAPIVersion: "",
    DefaultAPIVersion: "",
    GitCommit: "",
    GoVersion: "",
  }
  const more = {
    BuildTime: "",
    BuiltTime: "",
    Built: 0,
    Context: "default",
    Experimental: false,
    KernelVersion: release(),
  }
  const platform = { Platform: { Name: "skiff" }, Components: [] }
  const part = { ...build, ...none, ...more, ...platform, OsArch: `${os}/${architecture}` }
  return {
    document: { ...build, Client: part, Server: part },
    text: `Version:      ${version}\nBun version:  ${bun}\nOS/Arch:      ${os}/${architecture}`,
  }
}

/** In podman's layout. */
export function podmanVersion(facts: VersionFacts): VersionAnswer {
  const { document } = skiffVersion(facts)
  const { version, os, architecture } = facts
  return {
    document,
    text: `Client:       skiff\nVersion:      ${version}\nAPI Version:  ${version}\nOS/Arch:      ${os}/${architecture}`,
  }
}
