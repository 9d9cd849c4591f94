import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';

const SOURCES = join(__dirname, 'nodes');
const COMPILER_OPTIONS = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022 };

/**
 * Compiles the nodes and the credential that only this benchmark needs.
 *
 * @returns a new folder, for `N8N_CUSTOM_EXTENSIONS`, that the caller removes
 */
export async function compileCustomNodes(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'n8n-bench-nodes-'));
	for (const source of await readdir(SOURCES)) {
		const name = basename(source, '.ts');
		const kind = name.endsWith('Api') ? 'credentials' : 'node';
		const { outputText } = transpileModule(await readFile(join(SOURCES, source), 'utf8'), {
			compilerOptions: COMPILER_OPTIONS,
		});
		await writeFile(join(folder, `${name}.${kind}.js`), outputText);
	}
	return folder;
}
