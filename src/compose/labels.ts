/** Labels by which docker compose and skiff know whose a container, network, volume or image is (facts: docker compose 2.40, pkg/api/labels.go). */
const PREFIX = "com.docker.compose."

export const LABEL = {
  project: `${PREFIX}project`,
  service: `${PREFIX}service`,
  version: `${PREFIX}version`,
  /** 1 and up; not on one-offs. */
  number: `${PREFIX}container-number`,
  /** `True` or `False`. */
  oneOff: `${PREFIX}oneoff`,
  /** Of one-offs: 64 hex digits. */
  slug: `${PREFIX}slug`,
  configHash: `${PREFIX}config-hash`,
  /** Id of the image that the container was made from. */
  image: `${PREFIX}image`,
  /** `service:condition:restart`, joined by commas. */
  dependsOn: `${PREFIX}depends_on`,
  workingDirectory: `${PREFIX}project.working_dir`,
  configFiles: `${PREFIX}project.config_files`,
  environmentFile: `${PREFIX}project.environment_file`,
  /** Name of the container that this one replaced. */
  replace: `${PREFIX}replace`,
  network: `${PREFIX}network`,
  volume: `${PREFIX}volume`,
} as const

/** The compose whose habits we have; stands in labels and in `version`. */
export const COMPOSE_VERSION = "2.40.3"
