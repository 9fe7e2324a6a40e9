/** Draws Lens's tables and the tables of saved searches, both of which are EUI's data grid in Kibana. */
import { EuiDataGrid, type EuiDataGridProps, EuiLink, EuiText } from '@elastic/eui';
import { useState } from 'react';
import type { Cell, PanelModel } from '../preview-model.ts';
import { cellText, timeOf } from './cell-text.ts';

type Row = PanelModel['rows'][number];

interface SavedColumn {
  readonly columnId: string;
  readonly width?: number;
}

function compare(a: Cell | undefined, b: Cell | undefined, isTime: boolean): number {
  if (isTime) return timeOf(a ?? null) - timeOf(b ?? null);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b));
}

function sortedRows(panel: PanelModel): readonly Row[] {
  const sorting = panel.visualization.sorting;
  if (sorting === undefined) return panel.rows;
  const isTime = panel.columns.find(({ id }) => id === sorting.columnId)?.isTime === true;
  const sign = sorting.direction === 'asc' ? 1 : -1;
  return [...panel.rows].sort(
    (a, b) => sign * compare(a[sorting.columnId], b[sorting.columnId], isTime),
  );
}

interface GridProps {
  readonly panel: PanelModel;
  readonly rows: readonly Row[];
  readonly widths: Readonly<Record<string, number | undefined>>;
  readonly more: Pick<EuiDataGridProps, 'gridStyle' | 'rowHeightsOptions' | 'pagination'>;
}

function Grid({ panel, rows, widths, more }: GridProps) {
  const [visibleColumns, setVisibleColumns] = useState(panel.columns.map(({ id }) => id));
  return (
    <EuiDataGrid
      toolbarVisibility={false}
      aria-label={panel.title}
      columns={panel.columns.map((column) => ({
        id: column.id,
        display: column.label,
        displayAsText: column.label,
        ...(widths[column.id] === undefined ? {} : { initialWidth: widths[column.id] as number }),
        ...(isNumber(rows, column.id) && !column.isTime ? { schema: 'numeric' } : {}),
      }))}
      columnVisibility={{ visibleColumns, setVisibleColumns }}
      rowCount={rows.length}
      renderCellValue={({ rowIndex, columnId }) => {
        const column = panel.columns.find(({ id }) => id === columnId);
        const row = rows[rowIndex];
        if (column === undefined || row === undefined) return null;
        const text = cellText(row[columnId], column);
        return column.isLink === true && text !== '-' ? <EuiLink href="#">{text}</EuiLink> : text;
      }}
      {...more}
    />
  );
}

const isNumber = (rows: readonly Row[], id: string): boolean => typeof rows[0]?.[id] === 'number';

export function LensTable({ panel }: { readonly panel: PanelModel }) {
  const rows = sortedRows(panel);
  const saved: readonly SavedColumn[] = panel.visualization.columns;
  const size: number = panel.visualization.paging.size;
  const widths = Object.fromEntries(saved.map(({ columnId, width }) => [columnId, width]));
  return (
    <Grid
      panel={panel}
      rows={rows}
      widths={widths}
      more={{
        gridStyle: { border: 'horizontal', header: 'underline' },
        ...(panel.visualization.rowHeight === 'custom'
          ? {
              rowHeightsOptions: {
                defaultHeight: { lineCount: panel.visualization.rowHeightLines as number },
              },
            }
          : {}),
        ...(rows.length > size
          ? {
              pagination: {
                pageIndex: 0,
                pageSize: size,
                pageSizeOptions: [10, 20, 30, 100],
                onChangeItemsPerPage: () => {},
                onChangePage: () => {},
              },
            }
          : {}),
      }}
    />
  );
}

export function SearchTable({ panel }: { readonly panel: PanelModel }) {
  const { widths, rowHeight } = panel.visualization as {
    widths: Record<string, number>;
    rowHeight: number;
  };
  return (
    <div style={{ display: 'flex', flexDirection: 'column', height: '100%' }}>
      <EuiText size="xs" style={{ padding: '4px 8px' }}>
        <strong>{panel.total.toLocaleString('en-US')}</strong> documents
      </EuiText>
      <div style={{ flex: 1, minHeight: 0 }}>
        <Grid
          panel={panel}
          rows={panel.rows}
          widths={widths}
          more={{
            gridStyle: { border: 'all', fontSize: 's', cellPadding: 's', header: 'underline' },
            rowHeightsOptions: { defaultHeight: { lineCount: rowHeight } },
          }}
        />
      </div>
    </div>
  );
}
