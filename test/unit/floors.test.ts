/** That a newcomer can read the folders from the bottom up: each imports from those below it, and no two from each other. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { preProcessFile, resolveModuleName, sys } from 'typescript';

const NODES = join(__dirname, '../../nodes');

/** The folders from the top down, with those in one line beside each other. A folder without a line belongs to its parent. */
const FLOORS = [
	['AcountPay', 'AcountPayTrigger'],
	['AcountPay/actions', 'AcountPay/execution'],
	['AcountPay/actions/payment/lookUp'],
	['AcountPay/operation'],
	['AcountPay/creation'],
	['shared/webhooks'],
	['shared/transport'],
	['shared/auth'],
	['shared/http'],
	['shared/api', 'shared/qrCode'],
	['shared'],
];

const floorOf = (folder: string) => FLOORS.findIndex((folders) => folders.includes(folder));

/** The folder of {@link FLOORS} that a file belongs to. */
function folderOf(file: string): string {
	let folder = relative(NODES, dirname(file));
	while (floorOf(folder) === -1) {
		if (folder === '.') throw new Error(`${file} is on no floor`);
		folder = dirname(folder);
	}
	return folder;
}

const files = readdirSync(NODES, { recursive: true, encoding: 'utf8' })
	.filter((path) => path.endsWith('.ts'))
	.map((path) => join(NODES, path));

/** The files that a file imports, types included. */
const importedBy = (file: string): string[] =>
	preProcessFile(readFileSync(file, 'utf8'))
		.importedFiles.map(
			({ fileName }) => resolveModuleName(fileName, file, {}, sys).resolvedModule?.resolvedFileName,
		)
		.filter((imported): imported is string => imported?.startsWith(`${NODES}/`) ?? false);

const imports = files.flatMap((file) =>
	importedBy(file).map((imported) => ({
		from: folderOf(file),
		to: folderOf(imported),
		files: `${relative(NODES, file)} imports ${relative(NODES, imported)}`,
	})),
);

it('each folder imports from those below it', () => {
	expect(imports.length).toBeGreaterThan(200);
	const upward = imports.filter(({ from, to }) => from !== to && floorOf(to) <= floorOf(from));
	expect(upward.map((found) => found.files)).toEqual([]);
});

it('each folder of the table is there', () => {
	const folders = new Set(files.map(folderOf));
	expect(FLOORS.flat().filter((folder) => !folders.has(folder))).toEqual([]);
});
