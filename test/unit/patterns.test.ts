/**
 * No pattern of the package can be made to backtrack: recheck searches each of them for a text on which matching takes
 * more than linear time, by what it knows of automata and by trying.
 */
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkSync } from 'recheck';
import ts from 'typescript';
import { SAFE_BASE_URL_PATTERN } from '../../nodes/shared/api/hosts';

const ROOT = join(__dirname, '../..');

interface Pattern {
	where: string;
	source: string;
	flags: string;
}

/** Every regular expression that is written in a source, and every `new RegExp` with what it is made of. */
function patternsIn(file: string, text = readFileSync(file, 'utf8')) {
	const patterns: Pattern[] = [];
	const made: string[] = [];
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
	const visit = (node: ts.Node) => {
		const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
		const where = `${relative(ROOT, file)}:${line}`;
		if (ts.isRegularExpressionLiteral(node)) {
			const end = node.text.lastIndexOf('/');
			patterns.push({ where, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
		}
		if (ts.isNewExpression(node) && node.expression.getText() === 'RegExp') {
			made.push(node.arguments![0].getText());
		}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return { patterns, made };
}

const files = globSync(['nodes/**/*.ts', 'credentials/**/*.ts'], { cwd: ROOT }).map((file) =>
	join(ROOT, file),
);
const found = files.map((file) => patternsIn(file));
const patterns = found.flatMap((inFile) => inFile.patterns);

/** Patterns that are no literals. */
const shared: Pattern[] = [
	{ where: 'SAFE_BASE_URL_PATTERN', source: SAFE_BASE_URL_PATTERN, flags: 'i' },
];

const verdictOn = ({ source, flags }: Omit<Pattern, 'where'>) => {
	const { status, ...rest } = checkSync(source, flags, { timeout: 10_000 });
	return status === 'safe'
		? 'safe'
		: `${status}: ${'complexity' in rest ? rest.complexity?.summary : ''}`;
};

it('the patterns are found', () => {
	expect(files.length).toBeGreaterThan(20);
	expect(patterns.length).toBeGreaterThan(15);
	expect(patternsIn('a.ts', 'const a = b.replace(/x+$/g, "");').patterns).toEqual([
		expect.objectContaining({ source: 'x+$', flags: 'g' }),
	]);
});

it('no other pattern is made at run time', () => {
	expect(found.flatMap(({ made }) => made)).toEqual(['SAFE_BASE_URL_PATTERN']);
});

it.each([
	['(a+)+$', ''],
	['\\/+$', ''],
	['<[^>]*>', ''],
	['<(script|style|head)\\b[\\s\\S]*?<\\/\\1\\s*>', 'gi'],
])('/%s/%s, which backtracks, does not pass for safe', (source, flags) => {
	expect(verdictOn({ source, flags })).toMatch(/^vulnerable/);
});

it.each([...patterns, ...shared])('$where: /$source/$flags is linear', (pattern) => {
	expect(verdictOn(pattern)).toBe('safe');
});
