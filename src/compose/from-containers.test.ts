import { expect, test } from "bun:test"
import type { Network } from "../network/network.ts"
import type { Container } from "../container/container.ts"
import type { Volume } from "../volume/volume.ts"
import { parseDependencies, projectFromContainers } from "./from-containers.ts"
import { LABEL } from "./labels.ts"
import { asProjectContainer } from "./project-containers.ts"

const container = (service: string, number: number, labels: Record<string, string> = {}) =>
  asProjectContainer({
    name: `shop-${service}-${number}`,
    imageName: `docker.io/library/${service}:1`,
    options: { labels: { [LABEL.project]: "shop", [LABEL.service]: service, [LABEL.number]: `${number}`, ...labels } },
  } as unknown as Container)

const network = (name: string, project: string) =>
  ({ name, options: { labels: { [LABEL.project]: project, [LABEL.network]: "default" } } }) as unknown as Network

test("a project is its containers' services, with their dependencies, and what bears its label", () => {
  const containers = [
    container("web", 1, { [LABEL.dependsOn]: "db:service_healthy:false,cache", [LABEL.workingDirectory]: "/src/shop" }),
    container("web", 2),
    container("db", 1),
    container("job", 0, { [LABEL.oneOff]: "True" }),
  ]
  const volume = { name: "shop_data", labels: { [LABEL.project]: "shop", [LABEL.volume]: "data" } } as unknown as Volume
  const project = projectFromContainers("shop", containers, {
    networks: [network("shop_default", "shop"), network("other_default", "other"), { options: {} } as Network],
    volumes: [volume],
  })
  expect(project.services).toEqual({
    web: {
      image: "docker.io/library/web:1",
      scale: 2,
      depends_on: {
        db: { condition: "service_healthy", restart: false, required: true },
        cache: { condition: "service_started", restart: true, required: true },
      },
    },
    db: { image: "docker.io/library/db:1", scale: 1 },
    job: { image: "docker.io/library/job:1", scale: 0 },
  })
  expect(project.workingDirectory).toBe("/src/shop")
  expect(project.networks).toEqual({ default: { name: "shop_default" } })
  expect(project.volumes).toEqual({ data: { name: "shop_data" } })
})

test("a label of no dependencies is none, and an unknown condition the least one", () => {
  expect(parseDependencies("")).toEqual({})
  expect(parseDependencies("a:soon:true")).toEqual({
    a: { condition: "service_started", restart: true, required: true },
  })
})
