import type { Project, Service } from "../project.ts"
import { testProject } from "../test-project.suite.ts"
import type { ReferredContainer, ServiceContext } from "./service-context.ts"

/** A context of tests: one service `web` of a project `p`, and what it warned of. */
export function contextOf(
  service: Service,
  project: Partial<Project> = {},
  containers: Record<string, ReferredContainer[]> = {},
): ServiceContext & { warnings: string[] } {
  const warnings: string[] = []
  return {
    project: testProject(
      {},
      { files: ["/srv/p/compose.yaml"], ...project, services: { web: service, ...project.services } },
    ),
    key: "web",
    service,
    separator: "-",
    containersOf: (name) => containers[name] ?? [],
    warn: (message) => warnings.push(message),
    warnings,
  }
}
