/** The page's program: draws the model that `window.draw()` is given. */
import '@fontsource/inter/cyrillic-400.css';
import '@fontsource/inter/cyrillic-600.css';
import '@fontsource/inter/cyrillic-700.css';
import '@fontsource/inter/latin-400.css';
import '@fontsource/inter/latin-600.css';
import '@fontsource/inter/latin-700.css';
import '@elastic/charts/dist/theme_light.css';
import { EuiProvider } from '@elastic/eui';
import { createRoot } from 'react-dom/client';
import type { DashboardModel } from '../preview-model.ts';
import { DashboardPage } from './dashboard-page.tsx';

declare global {
  interface Window {
    draw: (model: DashboardModel, width: number) => void;
  }
}

window.draw = (model, width) => {
  const root = document.getElementById('root');
  if (root === null) throw new Error('No place to draw in');
  createRoot(root).render(
    <EuiProvider colorMode="light">
      <DashboardPage model={model} width={width} />
    </EuiProvider>,
  );
};
