"""A worker of the standard library alone: lock, events, checkpoints, stop and result as the real one, in milliseconds.

`python fake_worker.py FOLDER RUN`. `config.json`: steps, seconds (of a step), save_steps, and what goes wrong:
fail_at, error, die_at (in every run), hang_at, exit_at_start, deaf. `lingers`: seconds from its last words on.
"""

import fcntl
import json
import os
import signal
import sys
import time


def main(folder, run):
    with open(f"{folder}/config.json") as stream:
        config = json.load(stream)
    lock = open(f"{folder}/worker.lock", "a+")  # noqa: SIM115 - held for life
    deadline = time.monotonic() + config.get("lock_seconds", 5)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                return 3
            time.sleep(0.01)
    if max(int(name) for name in os.listdir(f"{folder}/runs")) > run:
        return 3
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return Work(folder, run, config).run_all()


class Work:
    def __init__(self, folder, run, config):
        self.folder, self.run, self.config, self.seq, self.is_stopped = folder, run, config, 0, False
        self.events = open(f"{folder}/runs/{run}/events.jsonl", "ab", buffering=0)  # noqa: SIM115 - the same
        if not config.get("deaf"):
            signal.signal(signal.SIGTERM, self.stop)
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def stop(self, *_):
        self.is_stopped = True

    def emit(self, event_type, **fields):
        self.seq += 1
        event = {
            "seq": self.seq,
            "run": self.run,
            "type": event_type,
            "time": now(),
            "mono": time.monotonic(),
            **fields,
        }
        self.events.write(json.dumps(event).encode() + b"\n")
        if event_type == "run_ended":
            time.sleep(self.config.get("lingers", 0.0))

    def run_all(self):
        config = self.config
        if "exit_at_start" in config:
            return config["exit_at_start"]
        self.emit("run_started", kind="train", pid=os.getpid())
        done = self.saved()
        if done:
            self.emit("phase", name="resuming", params={"step": done, "checkpoint": f"step-{done:08}", "exact": True})
        for step in range(done + 1, config["steps"] + 1):
            time.sleep(config.get("seconds", 0.0))
            if self.is_stopped:
                self.save(step - 1)
                error = {"error": "Stopped", "code": "stopped", "params": {"step": step - 1, "has_checkpoint": True}}
                self.emit("run_ended", status="interrupted", error=error)
                return 75
            self.go_wrong(step)
            metrics = {"loss": 1 / step, "learning_rate": 0.1}
            self.emit("step", step=step, total_steps=config["steps"], metrics=metrics)
            if step % config.get("save_steps", 1) == 0:
                self.save(step)
                self.emit("checkpoint", step=step, path=f"step-{step:08}")
        write(f"{self.folder}/result.json", {"steps": config["steps"]})
        self.emit("run_ended", status="succeeded", result={"final_loss": 1 / config["steps"]})
        return 0

    def go_wrong(self, step):
        if step == self.config.get("fail_at"):
            self.emit("run_ended", status="failed", error=self.config["error"])
            os._exit(1)
        if step == self.config.get("die_at"):
            os._exit(9)
        if step == self.config.get("hang_at") and self.run == 1:
            time.sleep(600)

    def saved(self):
        try:
            with open(f"{self.folder}/state.json") as stream:
                return json.load(stream)["step"]
        except FileNotFoundError:
            return 0

    def save(self, step):
        write(f"{self.folder}/state.json", {"step": step})


def now():
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}+00:00"


def write(path, value):
    with open(f"{path}.tmp", "w") as stream:
        json.dump(value, stream)
    os.replace(f"{path}.tmp", path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
