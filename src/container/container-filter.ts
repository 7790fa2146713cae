/** Values of one key are alternatives (labels: all must fit), keys must all fit, as docker's. */
export interface ContainerFilter {
  /** Also those not running. */
  all?: boolean
  id?: readonly string[]
  name?: readonly string[]
  status?: readonly string[]
  /** Whether its restart policy has it run after a boot. */
  startsOnBoot?: boolean
  label?: readonly string[]
  ancestor?: readonly string[]
  exited?: readonly number[]
  volume?: readonly string[]
  publish?: readonly string[]
  network?: readonly string[]
  /** None of these labels. */
  notLabel?: readonly string[]
  /** Of its words that run, the first. */
  command?: readonly string[]
  /** `80`, `80/tcp`, `80-90/udp`: of the ports inside, published or exposed. */
  expose?: readonly string[]
  /** `none` is what has no check. */
  health?: readonly string[]
  restartPolicy?: readonly string[]
  /** Of its pod: id or its beginning, or name. */
  pod?: readonly string[]
  before?: string
  since?: string
  /** Made before. */
  until?: Date
}
