import { expect, test } from "vitest";
import { containerOptions } from "./container-spec.js";

const options = containerOptions({
  image: "sha256:0123",
  instance: "mesh-1",
  executor: "host-1",
  sandbox: "abc",
  uid: 200_007,
  linkDirectory: "/data/links/abc",
  limits: { cpus: 1.5, memoryMib: 2048, pids: 256, workspaceMib: 1024, tmpMib: 256 },
});

test("is, word for word, the hardened container", () => {
  expect(options).toMatchInlineSnapshot(`
    {
      "AttachStderr": false,
      "AttachStdin": false,
      "AttachStdout": false,
      "Cmd": [],
      "Env": [
        "OPENBLAS_NUM_THREADS=2",
        "OMP_NUM_THREADS=2",
      ],
      "Healthcheck": {
        "Test": [
          "NONE",
        ],
      },
      "HostConfig": {
        "AutoRemove": false,
        "Binds": [],
        "CapAdd": [],
        "CapDrop": [
          "ALL",
        ],
        "CgroupnsMode": "private",
        "Devices": [],
        "GroupAdd": [],
        "Init": false,
        "IpcMode": "private",
        "LogConfig": {
          "Config": {},
          "Type": "none",
        },
        "MaskedPaths": [
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware",
        ],
        "Memory": 2147483648,
        "MemorySwap": 2147483648,
        "Mounts": [
          {
            "BindOptions": {
              "Propagation": "rprivate",
            },
            "ReadOnly": true,
            "Source": "/data/links/abc",
            "Target": "/run/codemesh",
            "Type": "bind",
          },
        ],
        "NanoCpus": 1500000000,
        "NetworkMode": "none",
        "OomKillDisable": false,
        "OomScoreAdj": 500,
        "PidMode": "",
        "PidsLimit": 256,
        "PortBindings": {},
        "Privileged": false,
        "PublishAllPorts": false,
        "ReadonlyPaths": [
          "/proc/bus",
          "/proc/fs",
          "/proc/irq",
          "/proc/sys",
          "/proc/sysrq-trigger",
        ],
        "ReadonlyRootfs": true,
        "RestartPolicy": {
          "Name": "no",
        },
        "SecurityOpt": [
          "no-new-privileges:true",
        ],
        "Tmpfs": {
          "/dev/shm": "rw,nosuid,nodev,size=67108864,nr_inodes=4096,noexec,mode=1777",
          "/tmp": "rw,nosuid,nodev,size=268435456,nr_inodes=16384,exec,mode=1777",
          "/workspace": "rw,nosuid,nodev,size=1073741824,nr_inodes=65536,exec,mode=0700,uid=200007,gid=200007",
        },
        "Ulimits": [
          {
            "Hard": 1,
            "Name": "core",
            "Soft": 1,
          },
          {
            "Hard": 1024,
            "Name": "nofile",
            "Soft": 1024,
          },
          {
            "Hard": 65536,
            "Name": "memlock",
            "Soft": 65536,
          },
          {
            "Hard": 819200,
            "Name": "msgqueue",
            "Soft": 819200,
          },
        ],
      },
      "Hostname": "sandbox",
      "Image": "sha256:0123",
      "Labels": {
        "codemesh.executor": "host-1",
        "codemesh.instance": "mesh-1",
        "codemesh.sandbox": "abc",
      },
      "NetworkDisabled": true,
      "OpenStdin": false,
      "Tty": false,
      "User": "200007:200007",
      "WorkingDir": "/workspace",
      "name": "codemesh-abc",
    }
  `);
});

test("gives the sandbox no way to more rights than it has", () => {
  expect(options.User).toBe("200007:200007");
  expect(options.HostConfig).toMatchObject({
    Privileged: false,
    CapAdd: [],
    CapDrop: ["ALL"],
    ReadonlyRootfs: true,
    NetworkMode: "none",
    Binds: [],
    Devices: [],
  });
  expect(options.HostConfig?.MemorySwap).toBe(options.HostConfig?.Memory);
});

test("bounds every place that can be written, in bytes and in files", () => {
  for (const mount of Object.values(options.HostConfig?.Tmpfs ?? {})) {
    expect(mount).toMatch(/^rw,nosuid,nodev,size=\d+,nr_inodes=\d+,/);
  }
  expect(options.HostConfig?.Mounts?.every((mount) => mount.ReadOnly)).toBe(true);
});
