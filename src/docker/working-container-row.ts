import type { WorkingContainer } from "../builder/builder.ts"
import type { Container } from "../container/container.ts"

/** A line of `builder containers`: the fields that Buildah's templates name. */
export interface WorkingContainerRow {
  ContainerID: string
  /** `*` for a working container. */
  Builder: string
  ImageID: string
  ImageName: string
  ContainerName: string
}

/** Column titles of its fields. */
export const WORKING_CONTAINER_TITLES = {
  ContainerID: "CONTAINER ID",
  Builder: "BUILDER",
  ImageID: "IMAGE ID",
  ImageName: "IMAGE NAME",
  ContainerName: "CONTAINER NAME",
}

/** Of a working container, with whole ids. */
export function workingContainerRow({ id, imageId, imageName, name }: WorkingContainer): WorkingContainerRow {
  const ImageID = imageId?.replace("sha256:", "") ?? ""
  return { ContainerID: id, Builder: "*", ImageID, ImageName: imageName, ContainerName: name }
}

/** Of any other container. */
export function otherContainerRow({ id, name, imageName, imageId }: Container): WorkingContainerRow {
  const ImageID = imageId.replace("sha256:", "")
  return { ContainerID: id, Builder: "", ImageID, ImageName: imageName, ContainerName: name }
}

const SHORT_ID = 12

/** With ids of twelve digits. */
export function withShortIds(row: WorkingContainerRow): WorkingContainerRow {
  return { ...row, ContainerID: row.ContainerID.slice(0, SHORT_ID), ImageID: row.ImageID.slice(0, SHORT_ID) }
}

/** Buildah's JSON, whose fields have other names than its templates'. */
export function workingContainerDocument(row: WorkingContainerRow): object {
  const { ContainerID, Builder, ImageID, ImageName, ContainerName } = row
  return {
    id: ContainerID,
    builder: Builder !== "",
    imageid: ImageID,
    imagename: ImageName,
    containername: ContainerName,
  }
}
