import { connect } from '@weir/client';
import { WeirProvider } from '@weir/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Board } from './board.tsx';
import './board.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <WeirProvider connect={() => connect({ url: 'ws://127.0.0.1:7701', resume: sessionStorage })}>
      <Board />
    </WeirProvider>
  </StrictMode>,
);
