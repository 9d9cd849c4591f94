import axios from 'axios';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar';

import { baseEnvironment, startNode, whenReady, type Child } from '../child';
import { freePorts } from '../ports';
import { N8nApi } from './api';
import type { N8nInstallation } from './setup';

/** How long any n8n process may take to start: usually 10 s; a minute on a busy machine. */
export const START_TIMEOUT_MS = 300_000;
/** A little more than n8n itself waits for its running executions. */
export const STOP_TIMEOUT_MS = 35_000;

/** What n8n is told so that it stays on this machine and asks nothing. */
const SETTINGS = {
	N8N_LISTEN_ADDRESS: '127.0.0.1',
	N8N_HOST: '127.0.0.1',
	N8N_SECURE_COOKIE: 'false',
	N8N_DIAGNOSTICS_ENABLED: 'false',
	N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
	N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
	N8N_DYNAMIC_BANNERS_ENABLED: 'false',
	N8N_TEMPLATES_ENABLED: 'false',
	N8N_PERSONALIZATION_ENABLED: 'false',
	N8N_HIRING_BANNER_ENABLED: 'false',
	N8N_VERIFIED_PACKAGES_ENABLED: 'false',
	N8N_COMMUNITY_PACKAGES_ALLOW_TOOL_USAGE: 'true',
	EXTERNAL_FRONTEND_HOOKS_URLS: '',
	N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
	N8N_PYTHON_ENABLED: 'false',
	N8N_LOG_LEVEL: 'info',
};

/** Modules that fetch something from n8n's servers. */
const DISABLED_MODULES = ['mcp-registry'];
/** Modules, by their folders, that take long to load and are for people in the editor alone. */
const EDITOR_MODULES = [
	'agents',
	'instance-ai',
	'chat-hub',
	'mcp',
	'ldap.ee',
	'sso-oidc',
	'sso-saml',
];

/** What a version is told besides: it does not start when it is to disable a module that it does not have. */
const settingsFor = ({ dir, version }: N8nInstallation, hasEditor: boolean) => ({
	...SETTINGS,
	N8N_DISABLE_UI: String(!hasEditor),
	// With its new engine, `$('Node')` in an expression finds nothing.
	...(version.startsWith('1.') && { N8N_EXPRESSION_ENGINE: 'legacy' }),
	N8N_DISABLED_MODULES: [...DISABLED_MODULES, ...(hasEditor ? [] : EDITOR_MODULES)]
		.filter((name) => existsSync(join(dir, 'node_modules', 'n8n', 'dist', 'modules', name)))
		.map((name) => name.replace('.ee', ''))
		.join(','),
});

/**
 * The environment of any n8n process, whole.
 *
 * @param brokerPort where the process gives work to its task runners; one for each process
 * @param hasEditor false for an n8n that starts in half the time, without what is for people in a browser alone
 */
export const n8nEnvironment = (
	n8n: N8nInstallation,
	userFolder: string,
	brokerPort: number,
	hasEditor = true,
): NodeJS.ProcessEnv => ({
	...baseEnvironment(),
	...settingsFor(n8n, hasEditor),
	N8N_USER_FOLDER: userFolder,
	N8N_RUNNERS_BROKER_PORT: String(brokerPort),
});

/** Puts a packed package where n8n keeps what the user has installed, replacing an earlier one. */
export async function installPackage(userFolder: string, packageTarball: string): Promise<void> {
	const folder = join(userFolder, '.n8n', 'nodes', 'node_modules', 'n8n-nodes-acountpay');
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	await extract({ file: packageTarball, cwd: folder, strip: 1 });
}

export interface StartN8nOptions {
	n8n: N8nInstallation;
	/** A packed package, as {@link packPackage} gives it. */
	packageTarball: string;
	/** As {@link n8nEnvironment} takes it. */
	hasEditor?: boolean;
	/** More settings for n8n; they win over ours. */
	env?: Record<string, string>;
	/** A folder to keep n8n's data in. Without it there is one in the temporary folder, removed at the end. */
	userFolder?: string;
	/** Gets n8n's log as it is written. */
	log?: (text: string) => void;
	/** Ends the start when it is aborted, and removes what was begun. */
	signal?: AbortSignal;
}

/** A running n8n with our package installed as a user would have it. */
export interface N8n {
	/** Where the editor is, without a slash at the end. */
	url: string;
	/** Signed in as {@link OWNER}. */
	api: N8nApi;
	userFolder: string;
	/** The id of its process. */
	pid(): number;
	/** All that n8n printed since the first start. */
	log(): string;
	/**
	 * Ends n8n and starts it again on the same data and ports.
	 *
	 * @param how `kill` ends it without a chance to tidy up, as a crash of the machine does
	 */
	restart(how?: 'stop' | 'kill'): Promise<void>;
	/** Ends n8n, installs another packed package in the place of ours, and starts n8n again on the same data and ports. */
	update(packageTarball: string): Promise<void>;
	/** Ends n8n and all it started, and removes the folder made for it. */
	stop(): Promise<void>;
}

/**
 * Starts n8n on free ports of the loopback interface. It ends with this process, however that ends.
 *
 * @returns when n8n can be used
 * @throws Error with the end of n8n's log when it does not start
 */
export async function startN8n(options: StartN8nOptions): Promise<N8n> {
	const { n8n, packageTarball } = options;
	const isOurs = options.userFolder === undefined;
	const userFolder = options.userFolder ?? mkdtempSync(join(tmpdir(), 'n8n-'));
	const remove = () => {
		if (isOurs) rmSync(userFolder, { recursive: true, force: true });
	};
	const [port, brokerPort] = await freePorts(2);
	const url = `http://127.0.0.1:${port}`;
	const env = {
		...n8nEnvironment(n8n, userFolder, brokerPort, options.hasEditor),
		N8N_PORT: String(port),
		...options.env,
	};

	let earlierLog = '';
	const start = async (): Promise<Child> => {
		const child = startNode([n8n.bin, 'start'], {
			cwd: userFolder,
			env,
			onOutput: options.log,
			removeWithParent: isOurs ? userFolder : undefined,
		});
		try {
			await ready(child, url, options.signal);
		} catch (error) {
			await child.stop(0);
			throw error;
		}
		return child;
	};

	try {
		await installPackage(userFolder, packageTarball);
		let child = await start();
		const api = await N8nApi.signUp(url).catch(async (error) => {
			await child.stop(0);
			throw error;
		});

		const end = async (how: 'stop' | 'kill') => {
			await child.stop(how === 'kill' ? 0 : STOP_TIMEOUT_MS);
			earlierLog += child.output();
		};

		return {
			url,
			api,
			userFolder,
			pid: () => child.pid!,
			log: () => earlierLog + child.output(),
			async restart(how = 'stop') {
				await end(how);
				child = await start();
			},
			async update(newTarball) {
				await end('stop');
				await installPackage(userFolder, newTarball);
				child = await start();
			},
			async stop() {
				await child.stop(isOurs ? 0 : STOP_TIMEOUT_MS);
				remove();
			},
		};
	} catch (error) {
		remove();
		throw error;
	}
}

/**
 * Runs an `n8n` command, for example `execute --id=1 --rawOutput`, on the data in a user folder, which
 * a running n8n may use at the same time.
 *
 * @returns what it printed on stdout
 * @throws Error when it fails, with all that it printed
 */
export async function runN8nCommand(
	n8n: N8nInstallation,
	userFolder: string,
	...args: string[]
): Promise<string> {
	const [brokerPort] = await freePorts(1);
	const child = startNode([n8n.bin, ...args], {
		cwd: userFolder,
		env: n8nEnvironment(n8n, userFolder, brokerPort, false),
	});
	if ((await child.ended) !== 0) {
		throw new Error(`n8n ${args.join(' ')} failed:\n${child.output()}`);
	}
	return child.stdout();
}

/** n8n can answer that it is ready before a start that then fails: both, the line in the log and the answer, count. */
const ready = async (child: Child, url: string, signal?: AbortSignal): Promise<void> =>
	await whenReady(
		'n8n',
		child,
		async () =>
			child.output().includes('Editor is now accessible') &&
			(await axios.get(`${url}/healthz/readiness`, { proxy: false }).then(
				() => true,
				() => false,
			)),
		START_TIMEOUT_MS,
		signal,
	);
