import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser, type LaunchOptions } from 'playwright-core';
import { extract } from 'tar';

import { cacheDir } from './n8n/setup';

/** What Chromium is called on the path of the systems that have it. */
const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * Starts a Chromium without a window. It is the one that CHROME_PATH names, else the one of this machine, else the one that an
 * npm package brings (Linux on x64), which is unpacked into the cache once.
 *
 * @returns the browser; the caller closes it
 * @throws Error with what the browser printed when it does not start
 */
export async function launchBrowser(): Promise<Browser> {
	const executablePath = process.env.CHROME_PATH || browserOnPath();
	return await chromium.launch(executablePath ? { executablePath } : await packagedBrowser());
}

const browserOnPath = (): string | undefined =>
	(process.env.PATH ?? '')
		.split(delimiter)
		.flatMap((folder) => COMMANDS.map((command) => join(folder, command)))
		.find((file) => existsSync(file));

/**
 * The browser of `@sparticuz/chromium`. Its own code unpacks to the temporary folder, where two processes at once meet a half
 * written browser, and finds its fonts only there; so its archives are unpacked here.
 */
async function packagedBrowser(): Promise<LaunchOptions> {
	const { platform, arch } = process;
	if (platform !== 'linux' || arch !== 'x64') {
		throw new Error(
			`There is no Chromium on the path, and none for ${platform} ${arch} on npm. Install Chromium or Chrome and set CHROME_PATH to its program.`,
		);
	}
	const packageDir = join(require.resolve('@sparticuz/chromium'), '..', '..');
	const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as {
		version: string;
	};
	const dir = join(cacheDir(), `chromium-${version}`);
	if (!existsSync(dir)) await unpack(join(packageDir, 'bin'), dir);
	return {
		executablePath: join(dir, 'chromium'),
		env: {
			...process.env,
			// For systems that lack its libraries or have no font.
			LD_LIBRARY_PATH: join(dir, 'lib'),
			FONTCONFIG_FILE: join(dir, 'fonts.conf'),
		},
	};
}

async function unpack(archives: string, dir: string): Promise<void> {
	const building = `${dir}.building-${process.pid}`;
	await mkdir(building, { recursive: true });
	const archive = (name: string) => createReadStream(join(archives, name));
	const program = createWriteStream(join(building, 'chromium'), { mode: 0o755 });
	await pipeline(archive('chromium.br'), createBrotliDecompress(), program);
	for (const name of ['al2023.tar.br', 'fonts.tar.br']) {
		await pipeline(archive(name), createBrotliDecompress(), extract({ cwd: building }));
	}
	await writeFile(
		join(building, 'fonts.conf'),
		`<fontconfig><dir>${dir}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${dir}/font-cache</cachedir></fontconfig>\n`,
	);
	await rename(building, dir).catch(async (error) => {
		// Another process was faster.
		await rm(building, { recursive: true });
		if (!existsSync(dir)) throw error;
	});
}
