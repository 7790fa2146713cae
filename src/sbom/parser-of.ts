import type { TreeEntry } from "./file-tree.ts"
import { parseBitnami, parseComposerInstalled, parseCondaMeta, parseGemspec } from "./installed/documents.ts"
import { parseBunLock, parsePackageLock, parsePnpmLock, parseYarnLock } from "./lock/node.ts"
import { parseDepsJson, parsePackagesConfig, parsePackagesLockJson, parsePackagesProps } from "./lock/nuget.ts"
import {
  parseCargoLock,
  parseComposerLock,
  parseConanLock,
  parseGemfileLock,
  parseGoMod,
  parseGradleLock,
  parseJuliaManifest,
  parseMixLock,
  parsePackageResolved,
  parsePodfileLock,
  parsePubspecLock,
  parseSbtLock,
} from "./lock/others.ts"
import { parsePom } from "./lock/pom.ts"
import { parsePipfileLock, parseRequirements, pythonTomlParser } from "./lock/python.ts"
import { parseNpmPackage } from "./npm.ts"
import type { Package, PackageKind } from "./package.ts"
import { parsePythonMetadata } from "./python.ts"
import type { FileParser } from "./reading.ts"

/** Lock files by their names: read where somebody works, not where something is installed. */
const LOCK_FILES: Readonly<Record<string, FileParser>> = {
  "package-lock.json": parsePackageLock,
  "npm-shrinkwrap.json": parsePackageLock,
  "yarn.lock": parseYarnLock,
  "pnpm-lock.yaml": parsePnpmLock,
  "bun.lock": parseBunLock,
  "requirements.txt": parseRequirements,
  "Pipfile.lock": parsePipfileLock,
  "poetry.lock": pythonTomlParser("poetry"),
  "uv.lock": pythonTomlParser("uv"),
  "pdm.lock": pythonTomlParser("pdm"),
  "pylock.toml": pythonTomlParser("pylock"),
  "go.mod": parseGoMod,
  "pom.xml": parsePom,
  "gradle.lockfile": parseGradleLock,
  "buildscript-gradle.lockfile": parseGradleLock,
  "build.sbt.lock": parseSbtLock,
  "Gemfile.lock": parseGemfileLock,
  "gems.locked": parseGemfileLock,
  "composer.lock": parseComposerLock,
  "mix.lock": parseMixLock,
  "pubspec.lock": parsePubspecLock,
  "Package.resolved": parsePackageResolved,
  "Podfile.lock": parsePodfileLock,
  "conan.lock": parseConanLock,
}

/** What is installed says so in files of these names, and of others that the path decides. */
const INSTALLED_FILES: Readonly<Record<string, FileParser>> = {
  "packages.lock.json": parsePackagesLockJson,
  "packages.config": parsePackagesConfig,
  "Directory.Packages.props": parsePackagesProps,
  "Manifest.toml": parseJuliaManifest,
  // a program of Rust's seldom says what is in it, so that the lock beside it is all that there is; Trivy reads it in images, too
  "Cargo.lock": parseCargoLock,
}

/** Installed, not one's own project, a test's fixture, or a part of a package. */
const NPM_PACKAGE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@./][^/]*\/package\.json$/

/** Who reads an entry of a tree; undefined for what tells of no packages. `locks`: lock files count, too. */
export function parserOf({ path, name, isDirectory }: TreeEntry, locks: boolean): FileParser | undefined {
  if (isDirectory) return undefined
  if (name === "METADATA") return path.endsWith(".dist-info/METADATA") ? python : undefined
  if (name === "PKG-INFO") return /(?:\.egg-info|EGG-INFO)\/PKG-INFO$/.test(path) ? python : undefined
  if (name.endsWith(".egg-info")) return python
  if (name === "package.json") return NPM_PACKAGE.test(path) ? npm : undefined
  if (name.endsWith(".gemspec"))
    return /(?:^|\/)specifications\/(?:default\/)?[^/]+$/.test(path) ? parseGemspec : undefined
  if (name === "installed.json")
    return path.endsWith("vendor/composer/installed.json") ? parseComposerInstalled : undefined
  if (name.endsWith(".json") && /(?:^|\/)conda-meta\/[^/]+$/.test(path)) return parseCondaMeta
  if (name.endsWith(".deps.json")) return parseDepsJson
  if (name.endsWith(".spdx") && name.startsWith(".spdx-")) return parseBitnami
  if (Object.hasOwn(INSTALLED_FILES, name)) return INSTALLED_FILES[name]
  return locks && Object.hasOwn(LOCK_FILES, name) ? LOCK_FILES[name] : undefined
}

const python: FileParser = (bytes, foundIn) => listed(parsePythonMetadata(bytes.toString("utf8"), foundIn))
const npm: FileParser = (bytes, foundIn) => listed(parseNpmPackage(bytes.toString("utf8"), foundIn))

function listed(found: Package | undefined): Package[] {
  return found === undefined ? [] : [found]
}

/** Kinds of what is installed, each with the kinds of lists that tell the same of a project. */
const TOLD_BY: Partial<Record<PackageKind, ReadonlySet<PackageKind>>> = {
  "node-pkg": new Set<PackageKind>(["npm", "yarn", "pnpm", "bun"]),
  "python-pkg": new Set<PackageKind>(["pip", "pipenv", "poetry", "uv", "pdm", "pylock"]),
  jar: new Set<PackageKind>(["pom", "gradle", "sbt"]),
  gobinary: new Set<PackageKind>(["gomod"]),
  rustbinary: new Set<PackageKind>(["cargo"]),
  gemspec: new Set<PackageKind>(["bundler"]),
  "composer-vendor": new Set<PackageKind>(["composer"]),
}

/** Of a project: what is installed in it counts only where no list of its language does. */
export function withoutTwice(packages: readonly Package[]): Package[] {
  const kinds = new Set(packages.map(({ kind }) => kind))
  return packages.filter(({ kind }) => {
    const lists = TOLD_BY[kind]
    return lists === undefined || !kinds.values().some((each) => lists.has(each))
  })
}
