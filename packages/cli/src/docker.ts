import Docker from "dockerode";
import { socketFrom } from "./docker-host.js";

/** What marks everything of a mesh on an engine that others use too; the value is the mesh's own id. */
export const INSTANCE_LABEL = "codemesh.instance";

/** A client of the engine at `unix:///path`. */
export function dockerAt(dockerHost: string): Docker {
  return new Docker({ socketPath: socketFrom(dockerHost) ?? dockerHost });
}

/** The ids of all containers of a mesh, in whatever state. */
export async function containersOf(docker: Docker, instance: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] });
  return (await docker.listContainers({ all: true, filters })).map((container) => container.Id);
}

/** Removes all containers of a mesh and returns how many there were. */
export async function removeContainersOf(docker: Docker, instance: string): Promise<number> {
  const ids = await containersOf(docker, instance);
  await Promise.all(
    ids.map(async (id) => {
      try {
        await docker.getContainer(id).remove({ force: true, v: true });
      } catch (error) {
        // 404: it is gone already; 409: somebody else is removing it.
        const status = (error as { statusCode?: number }).statusCode;
        if (status !== 404 && status !== 409) {
          throw error;
        }
      }
    }),
  );
  return ids.length;
}

/** Whether the engine has an image. */
export async function hasImage(docker: Docker, tag: string): Promise<boolean> {
  try {
    await docker.getImage(tag).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) {
      return false;
    }
    throw error;
  }
}
