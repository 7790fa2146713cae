import type { Project, Service } from "./project.ts"

/** A project `p` of tests with these services, and nothing else but what is given. */
export function testProject(services: Record<string, Service>, more: Partial<Project> = {}): Project {
  return {
    name: "p",
    workingDirectory: "/srv/p",
    files: [],
    environment: {},
    environmentFiles: [],
    profiles: [],
    services,
    disabledServices: {},
    networks: {},
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    ...more,
  }
}
