import { Container, Logger } from './environment';
import { LoggerProxy } from 'n8n-workflow';
import { inspect } from 'node:util';

type Level = 'error' | 'warn' | 'info' | 'debug';

/** One line of n8n's log; `meta` is the object as it was given, errors in it included. */
export interface LogEntry {
	level: Level;
	message: string;
	meta?: object;
}

/** Takes the place of n8n's logger and keeps every line of every level, in order. */
export class RecordedLog {
	readonly entries: LogEntry[] = [];

	readonly error = this.#recorder('error');

	readonly warn = this.#recorder('warn');

	readonly info = this.#recorder('info');

	readonly debug = this.#recorder('debug');

	/** n8n marks lines of its parts with a scope; here they all go to one list. */
	scoped() {
		return this;
	}

	/** The messages of one level, or all. */
	messages(level?: Level): string[] {
		return this.entries
			.filter((entry) => level === undefined || entry.level === level)
			.map(({ message }) => message);
	}

	/** Everything in one text, to any depth, with the stacks, causes and properties of errors. */
	text(): string {
		return inspect(this.entries, {
			depth: Infinity,
			maxArrayLength: Infinity,
			maxStringLength: Infinity,
			breakLength: Infinity,
		});
	}

	clear() {
		this.entries.length = 0;
	}

	#recorder(level: Level) {
		return (message: string, meta?: object) => void this.entries.push({ level, message, meta });
	}
}

/** The one log of this test file: n8n's services keep the logger that they find first. */
export const log = new RecordedLog();

Container.set(Logger, log as never);
LoggerProxy.init(log as never);
