// Loaded into a program that we start, before its own code. However we end, by SIGKILL too, the channel to us closes:
// then the program goes at once, with all it started (it leads a process group) and the folder that was made for it.
const { rmSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

// The program's worker threads load this too; they have no channel.
if (isMainThread && process.channel) {
	process.once('disconnect', () => {
		try {
			if (process.env.REMOVE_WITH_PARENT) {
				// The program may be writing there.
				rmSync(process.env.REMOVE_WITH_PARENT, { recursive: true, force: true, maxRetries: 5 });
			}
		} finally {
			process.kill(-process.pid, 'SIGKILL');
		}
	});
	process.channel.unref();
}
