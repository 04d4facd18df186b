/** Where sessions keep their files; the home and working directory of everything that runs. */
export const WORKSPACE = "/workspace";

const PYTHON = ["python3", "/opt/codemesh/python/kernel.py"] as const;

/** The command of the Python interpreter. */
export function pythonCommand(): readonly [string, ...string[]] {
  return PYTHON;
}

/** What runs in the session sees the image's variables and the session's. */
export class SessionEnvironment {
  private variables: NodeJS.ProcessEnv = { ...process.env };

  get current(): NodeJS.ProcessEnv {
    return this.variables;
  }

  add(variables: Readonly<Record<string, string>>): void {
    this.variables = { ...this.variables, ...variables };
  }
}
