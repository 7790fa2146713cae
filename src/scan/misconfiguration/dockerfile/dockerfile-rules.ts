import type { Severity } from "../../scan.ts"
import type { Rule } from "../rule.ts"

/** CIS Docker 1.6 of those that it has. */
const CIS: Readonly<Record<number, string>> = { 2: "4.1", 5: "4.9", 17: "4.7", 26: "4.6", 31: "4.10" }

const TABLE: readonly [number: number, severity: Severity, title: string, resolution: string][] = [
  [
    1,
    "medium",
    "':latest' tag used",
    "name a version or a digest in FROM, so that the base image does not change unnoticed",
  ],
  [2, "high", "image user is root", "end the last stage with USER and the name of an ordinary user"],
  [4, "medium", "port 22 exposed", "remove EXPOSE 22: enter containers by exec, without an SSH server"],
  [5, "low", "ADD instead of COPY", "use COPY: ADD is for archives that are unpacked, URLs and repositories"],
  [
    6,
    "critical",
    "COPY --from names its own stage",
    "name another stage, or an image: a stage cannot copy from itself",
  ],
  [7, "critical", "several ENTRYPOINT", "keep the last one: the others have no effect"],
  [8, "critical", "port out of range", "expose a port from 0 to 65535"],
  [9, "high", "WORKDIR is not absolute", "begin WORKDIR with a slash, so that it does not depend on the base image"],
  [10, "critical", "RUN uses sudo", "set USER to root before the RUN, and to an ordinary user after it"],
  [11, "critical", "COPY of several files to no directory", "end the last word of COPY with a slash"],
  [12, "critical", "one name for several stages", "give each stage a name of its own"],
  [13, "medium", "RUN cd", "use WORKDIR: the directory of a RUN ends with it"],
  [14, "low", "both wget and curl", "use one of both: the other is only weight and surface"],
  [15, "high", "yum's cache stays in the layer", "end the same RUN with yum clean all"],
  [16, "high", "several CMD", "keep the last one: the others have no effect"],
  [17, "high", "update alone", "update and install in one RUN: else the list of packages comes from an old cache"],
  [19, "high", "dnf's cache stays in the layer", "end the same RUN with dnf clean all"],
  [20, "high", "zypper's cache stays in the layer", "end the same RUN with zypper clean"],
  [21, "high", "apt-get without -y", "add -y: nobody answers questions in a build"],
  [22, "high", "MAINTAINER is deprecated", "write LABEL org.opencontainers.image.authors=… instead"],
  [23, "medium", "several HEALTHCHECK", "keep the last one: the others have no effect"],
  [24, "high", "dist-upgrade", "choose a newer base image instead of upgrading an old one"],
  [25, "high", "apk add without --no-cache", "add --no-cache: the index stays in the layer else"],
  [26, "low", "no HEALTHCHECK", "add HEALTHCHECK, so that a program that hangs is noticed"],
  [27, "high", "microdnf's cache stays in the layer", "end the same RUN with microdnf clean all"],
  [
    29,
    "high",
    "apt-get without --no-install-recommends",
    "add --no-install-recommends: only what is needed is installed then",
  ],
  [30, "high", "WORKDIR in a directory of the system", "use a directory of the application's own"],
  [
    31,
    "critical",
    "secret in ARG, ENV or a copied file",
    "use RUN --mount=type=secret, and give the container its secrets as files",
  ],
]

/** By number: `DS002` is 2. As Trivy numbers them, so that reports compare. */
export const DOCKERFILE_RULES: ReadonlyMap<number, Rule> = new Map(
  TABLE.map(([number, severity, title, resolution]) => [number, ruleOf(number, severity, title, resolution)]),
)

function ruleOf(number: number, severity: Severity, title: string, resolution: string): Rule {
  const digits = String(number).padStart(4, "0")
  const cis = CIS[number]
  return {
    id: `DS${digits.slice(1)}`,
    aliases: [`AVD-DS-${digits}`, `DS-${digits}`, ...(cis === undefined ? [] : [`CIS-${cis}`])],
    severity,
    title,
    resolution,
    references: [`https://avd.aquasec.com/misconfig/ds${digits.slice(1)}`],
  }
}
