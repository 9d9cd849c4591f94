import type { IDataObject } from 'n8n-workflow';
import type { Page } from '../../shared/api/lists';
import type { ApiRequest } from '../../shared/api/request';
import { ApiError } from '../../shared/errors';
import type { Subject } from '../../shared/transport/apiErrors';
import type { Client } from '../../shared/transport/client';
import { collectPages, UnreadableList } from '../../shared/transport/pagination';
import { read } from '../../shared/transport/read';
import type { CallOptions } from '../../shared/transport/send';

/** A list at AcountPay. */
export interface List {
	subject: Subject;
	/** The request for one page. */
	request(page: number, limit: number): ApiRequest;
	/** The page in the body of a response; undefined when it holds no such list. */
	readPage(body: Buffer): Page | undefined;
	/** Adds an entry's id under the name that the output always has it by. */
	complete(entry: IDataObject): IDataObject;
	/** What tells an entry from the others. */
	idOf(entry: IDataObject): string | undefined;
	/** Sees each page as it comes. What it throws ends the reading. */
	watch?(page: Page): void;
}

const UNUSABLE = 'sent a response that is no list';

const readOne = async (client: Client, list: List, request: ApiRequest, options: CallOptions) =>
	await read(client, request, list.subject, options, ({ body }) => list.readPage(body), UNUSABLE);

/**
 * Reads a list that is served in pages.
 * @param wanted how many entries are wanted at most
 * @throws ApiError or Cancelled
 */
export async function readPagedList(
	client: Client,
	list: List,
	options: CallOptions,
	wanted: number,
): Promise<IDataObject[]> {
	const fetchPage = async (page: number, limit: number) => {
		const got = await readOne(client, list, list.request(page, limit), options).catch(
			(error: unknown) => {
				// A page of one entry that is refused: its size is not the reason.
				if (!(error instanceof ApiError) || error.status !== 400 || limit === 1) throw error;
				return 'tooLarge' as const;
			},
		);
		if (got !== 'tooLarge') list.watch?.(got);
		return got;
	};
	try {
		const keyOf = (entry: IDataObject) => list.idOf(entry) ?? JSON.stringify(entry);
		return (await collectPages(fetchPage, keyOf, wanted)).map((entry) => list.complete(entry));
	} catch (error) {
		throw error instanceof UnreadableList
			? new ApiError(
					'unavailable',
					`AcountPay was asked about ${list.subject.name}, but its pages kept changing`,
					'Reading changes nothing, so this item can be run again.',
				)
			: error;
	}
}

/**
 * Reads a list that is documented without pages. Should AcountPay serve it in pages all the same, they are read.
 * @param wanted how many entries are wanted at most
 * @throws ApiError or Cancelled
 */
export async function readWholeList(
	client: Client,
	list: Omit<List, 'request'> & { request: ApiRequest },
	options: CallOptions,
	wanted: number,
): Promise<IDataObject[]> {
	const { request } = list;
	const paged: List = {
		...list,
		request: (page, limit) => ({ ...request, query: { page, limit } }),
	};
	const { entries, total } = await readOne(client, paged, request, options);
	if (total !== undefined && total > entries.length && entries.length < wanted) {
		return await readPagedList(client, paged, options, wanted);
	}
	return entries.slice(0, wanted).map((entry) => list.complete(entry));
}
