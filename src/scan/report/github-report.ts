import { VERSION } from "../../base/version.ts"
import { groupPackages, purlOf } from "../../sbom/sbom.ts"
import type { ScanReport } from "../scan.ts"
import type { ReportOptions } from "./report-format.ts"
import { idsByName } from "./trivy-package.ts"

/** A snapshot for GitHub's dependency submission API (docs.github.com, REST, dependency graph). */
export function githubReport({ subject, found, createdAt }: ScanReport, { github = {} }: ReportOptions): object {
  const { sha = "", ref = "", job, workflow = "skiff", runId } = github
  const groups = groupPackages(found, subject.name)
  const manifests = groups.map(({ target, type, packages }) => {
    const ids = idsByName(packages)
    const resolved = packages.map((each) => [
      each.name,
      {
        package_url: purlOf(each, found.distribution),
        relationship: each.isIndirect === true ? "indirect" : "direct",
        ...(each.dependsOn === undefined ? {} : { dependencies: each.dependsOn.flatMap((one) => ids.get(one) ?? []) }),
        scope: each.isDevelopment === true ? "development" : "runtime",
      },
    ])
    return [
      target,
      {
        name: type,
        ...(target.includes("/") || target.includes(".") ? { file: { source_location: target } } : {}),
        resolved: Object.fromEntries(resolved) as Record<string, object>,
      },
    ]
  })
  return {
    version: 0,
    detector: { name: "skiff", version: VERSION },
    metadata:
      subject.image === undefined
        ? {}
        : {
            "aquasecurity:trivy:RepoTag": subject.image.tags.join(", "),
            "aquasecurity:trivy:RepoDigest": subject.image.digests.join(", "),
          },
    ref,
    sha,
    job: { correlator: `${workflow}_${job ?? "scan"}`, id: runId ?? "0" },
    scanned: createdAt,
    manifests: Object.fromEntries(manifests),
  }
}
