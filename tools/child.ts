import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const preload = join(__dirname, 'end-with-parent.cjs');
const runProgram = join(__dirname, 'run-program.cjs');

/** How a program of ours is started. */
export interface ChildOptions {
	cwd: string;
	/** The whole environment; nothing is inherited. */
	env: NodeJS.ProcessEnv;
	/** Gets what the program prints (stdout and stderr), as it comes. */
	onOutput?: (text: string) => void;
	/** A folder that goes when we end without having stopped the program. */
	removeWithParent?: string;
}

/** A running program that ends when this process ends, in whatever way. */
export interface Child {
	/** Its process id; undefined when it could not be started. */
	pid?: number;
	/** Everything printed so far, stdout and stderr in the order they came. */
	output(): string;
	/** What it printed on stdout alone. */
	stdout(): string;
	/** Settles, never rejects, with the exit code, or with the signal that ended it. */
	ended: Promise<number | NodeJS.Signals>;
	/** True until the program has ended. */
	running(): boolean;
	/**
	 * Ends the program and all it started. It gets `graceMs` milliseconds to end by itself; 0 kills it.
	 *
	 * @returns when no process of it is left
	 */
	stop(graceMs: number): Promise<void>;
}

/**
 * Starts a Node program in a process group of its own.
 *
 * @param args the script and its arguments, run by the Node that runs this
 */
export function startNode(args: string[], options: ChildOptions): Child {
	const child = spawn(process.execPath, ['--require', preload, ...args], {
		cwd: options.cwd,
		env: { ...options.env, REMOVE_WITH_PARENT: options.removeWithParent },
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
	let output = '';
	let stdout = '';
	let running = true;
	const collect = (text: string) => {
		output += text;
		options.onOutput?.(text);
	};
	child.stdout!.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
		collect(text);
	});
	child.stderr!.setEncoding('utf8').on('data', collect);

	const signalGroup = (signal: NodeJS.Signals) => {
		try {
			process.kill(-child.pid!, signal);
		} catch {
			// Nobody of the group is left: what was wanted.
		}
	};
	const ended = new Promise<number | NodeJS.Signals>((resolve) => {
		child.once('error', (error) => {
			running = false;
			output += `${error.message}\n`;
			resolve(1);
		});
		child.once('exit', () => {
			running = false;
			signalGroup('SIGKILL');
		});
		child.once('close', (code, signal) => resolve(code ?? signal!));
	});

	return {
		pid: child.pid,
		output: () => output,
		stdout: () => stdout,
		ended,
		running: () => running,
		async stop(graceMs) {
			if (running) signalGroup(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
			const timer = setTimeout(() => signalGroup('SIGKILL'), graceMs);
			await ended;
			clearTimeout(timer);
		},
	};
}

/** A user of this machine, by number. */
export interface User {
	uid: number;
	gid: number;
}

/**
 * Starts a program that is none of Node's, as {@link startNode} starts one that is.
 *
 * @param user who runs it, when that is not who runs us
 */
export const startProgram = (
	command: string,
	args: string[],
	options: ChildOptions,
	user?: User,
): Child => startNode([runProgram, JSON.stringify({ command, args, ...user })], options);

/**
 * Waits until a program that was started is ready.
 *
 * @param name of the program, for the error
 * @throws Error with the end of what it printed when it ends or is not ready after `timeoutMs`
 */
export async function whenReady(
	name: string,
	child: Child,
	isReady: () => boolean | Promise<boolean>,
	timeoutMs: number,
	signal?: AbortSignal,
): Promise<void> {
	const until = Date.now() + timeoutMs;
	while (!(await isReady())) {
		signal?.throwIfAborted();
		if (!child.running() || Date.now() > until) {
			const reason = child.running() ? `is not ready after ${timeoutMs / 1000} s` : 'ended';
			const tail = child.output().trimEnd().split('\n').slice(-30).join('\n');
			throw new Error(`${name} ${reason} while starting:\n${tail}`);
		}
		await sleep(100);
	}
}

/**
 * The environment that our programs share: what a program needs to run at all, and this Node first
 * on the path, since n8n starts a `node` of its own. Settings of the machine stay out.
 */
export function baseEnvironment(): NodeJS.ProcessEnv {
	const { HOME, TMPDIR, LANG, PATH } = process.env;
	return { HOME, TMPDIR, LANG, PATH: `${dirname(process.execPath)}${delimiter}${PATH}` };
}

/**
 * The script of npm: the one that runs us, or else the one on the path.
 *
 * @throws Error when there is none
 */
export function npmScript(): string {
	const running = process.env.npm_execpath;
	if (running?.endsWith('npm-cli.js')) return running;
	const onPath = (process.env.PATH ?? '')
		.split(delimiter)
		.map((folder) => join(folder, 'npm'))
		.find((file) => existsSync(file));
	if (!onPath) throw new Error('npm was not found. It comes with Node: https://nodejs.org');
	return realpathSync(onPath);
}
